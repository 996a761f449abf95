package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/hyperledger/fabric-chaincode-go/shim"
	"github.com/hyperledger/fabric-chaincode-go/shimtest"
	"github.com/hyperledger/fabric-protos-go/msp"
)

const (
	bund      = "BundMSP"
	laender   = "LaenderMSP"
	id        = "019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968"
	procedure = "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e10"
	agreement = `{"BundMSP":["099045"],"LaenderMSP":["000160","000250"]}`
	tombstone = `{"authority":"099045","channel":"default","id":"` + id + `","kind":"ERASURE","procedure":"` +
		procedure + `","recordedAt":"2026-11-03T08:15:30.123Z","salt":"00112233445566778899aabbccddeeff","v":1}`
	body = `{"authority":"000250","catalogue":"2026-11","channel":"default","id":"` + id +
		`","land":"DE-NI","occurredOn":"2026-11-02","procedure":"` + procedure +
		`","recordedAt":"2026-11-03T08:15:30.123Z","role":"AE","salt":"00112233445566778899aabbccddeeff",` +
		`"status":"REGISTRIERUNG_ABGESCHLOSSEN","v":1}`
)

// world is a ledger with its state, without a peer.
type world struct {
	t    *testing.T
	stub *shimtest.MockStub
	next int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	made, err := newLedger([]string{bund, laender}, []string{"default", "flora-sn=BundMSP"})
	if err != nil {
		t.Fatal(err)
	}
	stub := shimtest.NewMockStub("flora", made)
	stub.ChannelID = "default"
	return &world{t: t, stub: stub}
}

// entitled is a world in which both organisations have agreed.
func entitled(t *testing.T) *world {
	w := newWorld(t)
	w.must(bund, "admin", "SetEntitlements", agreement)
	w.must(laender, "admin", "SetEntitlements", agreement)
	return w
}

func creator(t *testing.T, mspID, unit string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		Subject: pkix.Name{CommonName: "somebody", OrganizationalUnit: []string{unit}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	made, err := proto.Marshal(&msp.SerializedIdentity{Mspid: mspID, IdBytes: certificate})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// call gives payload and message; each call is a Fabric transaction of its own: tx1, tx2, …
func (w *world) call(mspID, unit string, args ...string) (string, string) {
	w.t.Helper()
	w.next++
	w.stub.Creator = creator(w.t, mspID, unit)
	var bytes [][]byte
	for _, one := range args {
		bytes = append(bytes, []byte(one))
	}
	answer := w.stub.MockInvoke("tx"+string(rune('0'+w.next)), bytes)
	if answer.Status == shim.OK && answer.Message != "" {
		w.t.Fatal("an answer with a message")
	}
	return string(answer.Payload), answer.Message
}

func (w *world) must(mspID, unit string, args ...string) string {
	w.t.Helper()
	payload, message := w.call(mspID, unit, args...)
	if message != "" {
		w.t.Fatal(message)
	}
	return payload
}

func (w *world) refused(word, mspID, unit string, args ...string) {
	w.t.Helper()
	before := maps.Clone(w.stub.State)
	_, message := w.call(mspID, unit, args...)
	if !strings.HasPrefix(message, word+": ") {
		w.t.Fatalf("%q, expected %s", message, word)
	}
	if !maps.EqualFunc(before, w.stub.State, slices.Equal) {
		w.t.Fatal("a refusal has written")
	}
}

func equal(t *testing.T, got, wanted string) {
	t.Helper()
	if got != wanted {
		t.Fatalf("got %s\nwanted %s", got, wanted)
	}
}

func TestATransactionIsRecordedOnceAndARepeatGetsTheFirstAnswer(t *testing.T) {
	w := entitled(t)
	equal(t, w.must(laender, "client", "Record", body), `{"repeated":false,"tx":"tx3"}`)
	before := maps.Clone(w.stub.State)
	equal(t, w.must(laender, "client", "Record", body), `{"repeated":true,"tx":"tx3"}`)
	if !maps.EqualFunc(before, w.stub.State, slices.Equal) {
		t.Fatal("a repeat has written")
	}
	equal(t, w.must(bund, "client", "Get", id), `{"body":`+quoted(t, body)+`,"tx":"tx3"}`)
}

func quoted(t *testing.T, text string) string {
	made, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(made)
}

func TestAnotherBodyUnderTheSameIDIsAConflict(t *testing.T) {
	w := entitled(t)
	w.must(laender, "client", "Record", body)
	w.refused("conflict", laender, "client", "Record", strings.Replace(body, "DE-NI", "DE-SN", 1))
	w.refused("conflict", bund, "client", "Record", tombstone)
}

func TestExactlyTwoKeysAreWritten(t *testing.T) {
	w := entitled(t)
	before := maps.Clone(w.stub.State)
	w.must(laender, "client", "Record", body)
	index, err := w.stub.CreateCompositeKey("procedure", []string{procedure, id})
	if err != nil {
		t.Fatal(err)
	}
	before[id], before[index] = []byte(body), []byte("tx3")
	if !maps.EqualFunc(before, w.stub.State, slices.Equal) {
		t.Fatal("other keys, or other values, than the body and the index")
	}
}

func TestOnlyWhatIsNewIsAnEventWithTheBody(t *testing.T) {
	w := entitled(t)
	w.must(laender, "client", "Record", body)
	w.must(laender, "client", "Record", body)
	w.refused("invalid", laender, "client", "Record", body+" ")
	if len(w.stub.ChaincodeEventsChannel) != 1 {
		t.Fatalf("%d events", len(w.stub.ChaincodeEventsChannel))
	}
	event := <-w.stub.ChaincodeEventsChannel
	equal(t, event.EventName+" "+string(event.Payload), "recorded "+body)
}

func TestTheHistoryIsOrderedByTransactionIDAndHoldsNoOtherProcedure(t *testing.T) {
	w := entitled(t)
	earlier := strings.Replace(body, id, "019a4f5e-7c2a-7a31-8f00-1d2c3b4a5968", 1)
	other := strings.Replace(strings.Replace(body, id, "019a4f5e-7c2c-7a31-8f00-1d2c3b4a5968", 1),
		procedure, "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e11", 1)
	later := strings.Replace(tombstone, id, "019a4f5e-7c2d-7a31-8f00-1d2c3b4a5968", 1)
	w.must(laender, "client", "Record", body)
	w.must(laender, "client", "Record", other)
	w.must(bund, "client", "Record", later)
	w.must(laender, "client", "Record", earlier)
	equal(t, w.must(bund, "client", "History", procedure), "["+earlier+","+body+","+later+"]")
	equal(t, w.must(bund, "client", "History", "5f0c1f5e-8a4b-4c63-9f0e-2d1c7a9b6e12"), "[]")
}

func TestWhatIsAbsentIsEmpty(t *testing.T) {
	equal(t, entitled(t).must(bund, "client", "Get", id), "")
}

func TestArgumentsThatAreNoneAreRefused(t *testing.T) {
	w := entitled(t)
	for _, args := range [][]string{{"Get", ""}, {"Get", strings.ToUpper(id)}, {"History", "x"}, {"Get"},
		{"Get", id, id}, {"Delete", id}, {"Record"}, {"", ""}, {"Entitlements", ""}} {
		w.refused("invalid", bund, "client", args...)
	}
}

func TestNobodyIsEntitledBeforeAllAdminsHaveAgreedToTheSameText(t *testing.T) {
	w := newWorld(t)
	w.refused("not-entitled", laender, "client", "Record", body)
	equal(t, w.must(laender, "admin", "SetEntitlements", agreement), `{"inForce":false}`)
	w.refused("not-entitled", laender, "client", "Record", body)
	equal(t, w.must(bund, "admin", "SetEntitlements", `{"LaenderMSP":["000250"]}`), `{"inForce":false}`)
	w.refused("not-entitled", laender, "client", "Record", body)
	equal(t, w.must(bund, "admin", "Entitlements"), "")
	equal(t, w.must(bund, "admin", "SetEntitlements", agreement), `{"inForce":true}`)
	equal(t, w.must(bund, "client", "Entitlements"), agreement)
	w.must(laender, "client", "Record", body)
}

func TestWhatOneOrganisationProposesLeavesTheAgreementInForce(t *testing.T) {
	w := entitled(t)
	equal(t, w.must(bund, "admin", "SetEntitlements", `{"BundMSP":["000250","099045"]}`), `{"inForce":false}`)
	equal(t, w.must(bund, "client", "Entitlements"), agreement)
	w.refused("not-entitled", bund, "client", "Record", body)
	w.must(laender, "client", "Record", body)
}

func TestAnOrganisationReportsForItsOwnAuthoritiesOnly(t *testing.T) {
	w := entitled(t)
	w.refused("not-entitled", bund, "client", "Record", body)
	w.refused("not-entitled", laender, "client", "Record", tombstone)
	w.refused("not-entitled", "OtherMSP", "client", "Record", body)
	w.must(bund, "client", "Record", tombstone)
}

func TestOnlyAdminsOfMembersSetEntitlements(t *testing.T) {
	w := newWorld(t)
	w.refused("not-entitled", bund, "client", "SetEntitlements", agreement)
	w.refused("not-entitled", "OtherMSP", "admin", "SetEntitlements", agreement)
}

func TestEachChannelHasItsMembers(t *testing.T) {
	w := newWorld(t)
	w.stub.ChannelID = "flora-sn"
	w.refused("not-entitled", laender, "admin", "SetEntitlements", `{"BundMSP":["000250"]}`)
	w.refused("invalid", bund, "admin", "SetEntitlements", agreement)
	equal(t, w.must(bund, "admin", "SetEntitlements", `{"BundMSP":["000250"]}`), `{"inForce":true}`)
	w.must(bund, "client", "Record", strings.Replace(body, `"default"`, `"flora-sn"`, 1))
	w.stub.ChannelID = "elsewhere"
	w.refused("not-entitled", bund, "admin", "SetEntitlements", `{"BundMSP":["000250"]}`)
}

func TestEntitlementsThatAreNotClosedAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{"", "[]", "{}x", `{"OtherMSP":["000250"]}`, `{"BundMSP":"000250"}`,
		`{"BundMSP":["000250","000160"]}`, `{"BundMSP":["000250","000250"]}`, `{"BundMSP":["123456"]}`,
		`{"BundMSP":[160]}`, `{"LaenderMSP":[],"BundMSP":[]}`, `{"BundMSP": []}`} {
		w.refused("invalid", bund, "admin", "SetEntitlements", text)
	}
}

func TestTwoOrganisationsComeToTheSameAnswersAndState(t *testing.T) {
	other := strings.Replace(body, id, "019a4f5e-7c2a-7a31-8f00-1d2c3b4a5968", 1)
	calls := [][]string{{bund, "admin", "SetEntitlements", agreement}, {laender, "admin", "SetEntitlements", agreement},
		{laender, "client", "Record", body}, {laender, "client", "Record", other}, {bund, "client", "Record", body},
		{laender, "client", "Record", body}, {bund, "client", "Record", tombstone},
		{bund, "client", "History", procedure}, {bund, "client", "Get", id}}
	first := newWorld(t)
	second := newWorld(t)
	for _, call := range calls {
		payload, message := first.call(call[0], call[1], call[2:]...)
		again, same := second.call(call[0], call[1], call[2:]...)
		equal(t, again+same, payload+message)
	}
	if len(first.stub.State) != 7 || !maps.EqualFunc(first.stub.State, second.stub.State, slices.Equal) {
		t.Fatal("the states differ")
	}
}

func TestNoErrorRepeatsContent(t *testing.T) {
	w := entitled(t)
	const secret = "991231000011"
	for _, text := range []string{secret, `{"` + secret + `":1}`, strings.Replace(body, "DE-NI", secret, 1),
		strings.Replace(body, `"v":1`, `"v":1,"`+secret+`":1`, 1), strings.Replace(body, "default", secret, 1)} {
		if _, message := w.call(laender, "client", "Record", text); message == "" ||
			strings.Contains(message, secret) {
			t.Fatalf("%q", message)
		}
	}
}

func TestALedgerWithoutMembersOrChannelsDoesNotStart(t *testing.T) {
	for _, given := range [][2][]string{{nil, {"default"}}, {{bund}, nil}, {{bund}, {"default", "="}},
		{{bund}, {"default", "default=BundMSP"}}, {{bund}, {"default", "flora-sn="}}, {nil, {"default", "flora-sn=BundMSP"}}, {nil, {"default=BundMSP+"}}} {
		if _, err := newLedger(given[0], given[1]); err == nil {
			t.Fatal("it starts")
		}
	}
}
