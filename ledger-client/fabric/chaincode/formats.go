// The formats of texts, as openapi/formats.cpp has them.
package main

import "regexp"

// number is what digits at a place make, or -1.
func number(text string, begin, count int) int {
	if len(text) < begin+count {
		return -1
	}
	made := 0
	for _, c := range []byte(text[begin : begin+count]) {
		if c < '0' || c > '9' {
			return -1
		}
		made = made*10 + int(c-'0')
	}
	return made
}

func within(number, from, to int) bool { return from <= number && number <= to }

func daysIn(year, month int) int {
	days := [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if month == 2 && ((year%4 == 0 && year%100 != 0) || year%400 == 0) {
		return 29
	}
	return days[month]
}

func isDate(text string) bool {
	if len(text) != 10 || text[4] != '-' || text[7] != '-' {
		return false
	}
	year, month := number(text, 0, 4), number(text, 5, 2)
	return year >= 0 && within(month, 1, 12) && within(number(text, 8, 2), 1, daysIn(year, month))
}

// Everything of an instant behind its day (RFC 3339; letters in upper case, at most nine decimals).
var clock = regexp.MustCompile(
	`^T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

func isDateTime(text string) bool {
	return len(text) >= 20 && isDate(text[:10]) && clock.MatchString(text[10:])
}

// isInstant says whether an instant has the one form that the ledger has: UTC, three decimals.
func isInstant(text string) bool {
	return isDateTime(text) && len(text) == 24 && text[23] == 'Z'
}

var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

func isUUID(text string) bool { return uuid.MatchString(text) }

var lowerUUID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// isID says whether a UUID has the one form that the ledger has: digits in lower case.
func isID(text string) bool { return lowerUUID.MatchString(text) }
