//go:build parity

package main

import (
	"bufio"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// FLORA_VERDICTS names a file that tests/fabric/guard_verdicts.cpp has written: a line for each text,
// `valid` or `invalid` and the text in hexadecimal digits.
func TestTheSameVerdictsAsTheGatewaysGuard(t *testing.T) {
	file, err := os.Open(os.Getenv("FLORA_VERDICTS"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	g := newTestGuard(t)
	counts := map[string]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		verdict, digits, _ := strings.Cut(lines.Text(), " ")
		text, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		ours := "valid"
		_, refusal := g.check(string(text))
		if refusal != nil {
			ours = "invalid"
		}
		if ours != verdict {
			t.Errorf("the gateway says %s, the chaincode %s (%v): %q", verdict, ours, refusal, text)
		}
		counts[verdict]++
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d valid, %d invalid", counts["valid"], counts["invalid"])
	if counts["valid"] < 5000 || counts["invalid"] < 5000 {
		t.Fatal("too few of a kind to mean anything")
	}
}
