package main

import (
	"strings"
	"testing"
)

func newTestGuard(t *testing.T) *guard {
	t.Helper()
	made, err := newGuard([]string{"default"})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestGoodTextsPass(t *testing.T) {
	g := newTestGuard(t)
	for _, text := range []string{body, tombstone,
		strings.Replace(body, `"occurredOn":"2026-11-02"`, `"occurredAt":"2026-11-02T00:00:00.000Z"`, 1),
		strings.Replace(body, `"status"`, `"site":"MUSTERSTADT","sourceSequence":9999,"status"`, 1)} {
		if _, err := g.check(text); err != nil {
			t.Errorf("%v: %s", err, text)
		}
	}
}

// Each line of a good text is loosened in one place.
func TestWhatIsOpenIsRefused(t *testing.T) {
	g := newTestGuard(t)
	for _, change := range [][2]string{
		{`"000250"`, `"000251"`}, {`"2026-11"`, `"2026-10"`}, {`"default"`, `"other"`},
		{`"DE-NI"`, `"DE-XX"`}, {`"2026-11-02"`, `"2026-02-30"`}, {`"AE"`, `"AUDITOR"`},
		{"019a4f5e", "019A4F5E"}, {"5f0c1f5e", "5F0C1F5E"}, {`30.123Z`, `30.12Z`}, {`30.123Z`, `30.123+00:00`},
		{"ddeeff", "ddeefg"}, {"REGISTRIERUNG", "ANHOERUNG"}, {`"v":1`, `"v":2`}, {`"v":1`, `"v":1.0`},
		{`"v":1`, `"v":1,"w":1`}, {`"status"`, `"site":"DORTMUND","status"`}, {`"occurredOn":"2026-11-02",`, ``},
		{`"id"`, `"details":{"name":"x"},"id"`}, {`"land"`, `"kind":"ERASURE","land"`}, {`"v":1}`, `"v":1} `},
		{`{"authority"`, `{ "authority"`}, {`"AE"`, `"\u0041E"`}, {`"AE"`, `null`},
		{`"occurredOn"`, `"occurredAt":"2026-11-02T00:00:00.000Z","occurredOn"`},
	} {
		text := strings.Replace(body, change[0], change[1], 1)
		if text == body {
			t.Fatalf("%s changes nothing", change[0])
		}
		if _, err := g.check(text); err == nil {
			t.Errorf("%s → %s passes", change[0], change[1])
		}
	}
}

func TestTheReceivingAuthorityIsOneOfThePolicy(t *testing.T) {
	g := newTestGuard(t)
	handover := strings.Replace(strings.Replace(body, "REGISTRIERUNG_ABGESCHLOSSEN", "WEITERLEITUNG", 1),
		`"id"`, `"details":{"empfaengerBehoerde":"999905","empfaengerLand":"DE-BB"},"id"`, 1)
	if _, err := g.check(handover); err != nil {
		t.Fatal(err)
	}
	if _, err := g.check(strings.Replace(handover, "999905", "123456", 1)); err == nil {
		t.Fatal("an authority that is unknown passes")
	}
}

func TestAtMost65535Bytes(t *testing.T) {
	g := newTestGuard(t)
	_, err := g.check(strings.Repeat(" ", maxBody+1))
	if err == nil || !strings.Contains(err.Error(), "65535") {
		t.Fatal(err)
	}
}

func TestOnlyCanonicalTextsAreRead(t *testing.T) {
	for _, text := range []string{`{}`, `[]`, `{"a":[1,-1,0,true,false,null,""],"b":{"\t":"ä\"\\\u0001€😀"}}`,
		`{"😀":1,"ﬀ":1}`} { // By UTF-16: D83D… before FB00, unlike by UTF-8.
		if _, ok := parseCanonical(text); !ok {
			t.Errorf("refused: %s", text)
		}
	}
	for _, text := range []string{``, ` {}`, `{"b":1,"a":1}`, `{"a":1,"a":1}`, `{"a":01}`, `{"a":-0}`, `{"a":1e2}`,
		`{"a":+1}`, `{"a":99999999999999999999}`, `"\u0041"`, `"\u001F"`, `"\u000a"`, `"\/"`, `"` + "\x01" + `"`,
		`"` + "\xff" + `"`, `"\ud83d"`, `[1,]`, `[1 ]`, `{"a":1,}`, `{"a"}`, `nul`, `"a`, `"\`, `"\u00`, `[`, `{"ﬀ":1,"😀":1}`,
		strings.Repeat("[", 33) + strings.Repeat("]", 33)} {
		if _, ok := parseCanonical(text); ok {
			t.Errorf("read: %s", text)
		}
	}
}

func TestAnUnknownKeywordIsAnErrorAtTheStart(t *testing.T) {
	for _, schema := range []map[string]any{{"if": map[string]any{}}, {"format": "email"}, {"type": "number"},
		{"$ref": "#/x"}, {"$ref": "#/missing"}} {
		c := compiler{root: map[string]any{"x": schema}, done: map[string]*rule{}}
		if _, err := c.at("#/x"); err == nil {
			t.Errorf("%v compiles", schema)
		}
	}
}
