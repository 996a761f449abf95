// The functions of the ledger. Start here.
//
//	Record(body)            records a transaction once; payload {"repeated":…,"tx":"…"}
//	Get(id)                 payload {"body":"…","tx":"…"}, or empty if there is none
//	History(procedure)      payload: the bodies of a procedure as a JSON array, ordered by transaction id
//	SetEntitlements(text)   what the caller's organisation agrees to; payload {"inForce":…}
//	Entitlements()          payload: the text in force, or empty
//
// An error begins with one of the words `invalid:`, `conflict:`, `not-entitled:`, or with `unavailable:`
// if the peer did not give what it holds, after which the same may be tried again. No error contains
// anything of the body.
//
// Deterministic: an answer depends on the arguments, the caller and the state alone. A transaction writes
// two keys that no other transaction reads, so that any number of them for one procedure are valid at once.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/shim"
	"github.com/hyperledger/fabric-protos-go/peer"
)

// The index of transactions by procedure: its key holds procedure and id, its value the Fabric transaction
// that recorded it.
const procedureIndex = "procedure"

// The event of a transaction that was recorded for the first time; its payload is the body.
const recordedEvent = "recorded"

// Immutable once made, and so thread-safe.
type ledger struct {
	guard   *guard
	members map[string][]string // By channel.
}

// newLedger takes what main.go says of FLORA_MEMBERS and FLORA_CHANNELS.
func newLedger(members, channels []string) (*ledger, error) {
	if len(channels) == 0 {
		return nil, errors.New("FLORA_CHANNELS must name at least one")
	}
	var names []string
	byChannel := map[string][]string{}
	for _, one := range channels {
		name, own, hasOwn := strings.Cut(one, "=")
		if slices.Contains(names, name) {
			return nil, errors.New("FLORA_CHANNELS names a channel twice")
		}
		byChannel[name] = members
		if hasOwn {
			byChannel[name] = strings.Split(own, "+")
		}
		if name == "" || len(byChannel[name]) == 0 || slices.Contains(byChannel[name], "") {
			return nil, errors.New("a channel of FLORA_CHANNELS has no name or no members")
		}
		names = append(names, name)
	}
	guard, err := newGuard(names)
	if err != nil {
		return nil, err
	}
	return &ledger{guard, byChannel}, nil
}

// Init is not part of the lifecycle that this chaincode is defined with.
func (l *ledger) Init(shim.ChaincodeStubInterface) peer.Response { return shim.Success(nil) }

func (l *ledger) Invoke(stub shim.ChaincodeStubInterface) peer.Response {
	function, args := stub.GetFunctionAndParameters()
	payload, err := l.call(stub, function, args)
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(payload)
}

func (l *ledger) call(stub shim.ChaincodeStubInterface, function string, args []string) ([]byte, error) {
	if function == "Entitlements" && len(args) == 0 {
		return l.entitlements(stub)
	}
	if len(args) != 1 {
		return nil, refused("no function with this number of arguments")
	}
	switch function {
	case "Record":
		return l.record(stub, args[0])
	case "Get":
		return l.get(stub, args[0])
	case "History":
		return l.history(stub, args[0])
	case "SetEntitlements":
		return l.setEntitlements(stub, args[0])
	}
	return nil, refused("no such function")
}

type recorded struct {
	Repeated bool   `json:"repeated"`
	Tx       string `json:"tx"`
}

func (l *ledger) record(stub shim.ChaincodeStubInterface, body string) ([]byte, error) {
	entry, err := l.guard.check(body)
	if err != nil {
		return nil, err
	}
	if err := l.checkEntitled(stub, entry.authority); err != nil {
		return nil, err
	}
	index, err := indexKey(stub, entry)
	if err != nil {
		return nil, err
	}
	first, err := get(stub, entry.id)
	if err != nil {
		return nil, err
	}
	if first != nil {
		return repeat(stub, index, string(first) == body)
	}
	tx := stub.GetTxID()
	if err := put(stub, entry.id, body); err != nil {
		return nil, err
	}
	if err := put(stub, index, tx); err != nil {
		return nil, err
	}
	if err := stub.SetEvent(recordedEvent, []byte(body)); err != nil {
		return nil, unavailable(err)
	}
	return encode(recorded{false, tx})
}

// repeat answers for an id that is taken.
func repeat(stub shim.ChaincodeStubInterface, index string, sameBody bool) ([]byte, error) {
	if !sameBody {
		return nil, errors.New("conflict: another transaction stands under this id")
	}
	tx, err := get(stub, index)
	if err != nil {
		return nil, err
	}
	return encode(recorded{true, string(tx)})
}

func (l *ledger) get(stub shim.ChaincodeStubInterface, id string) ([]byte, error) {
	if !isID(id) {
		return nil, refused("not a transaction id")
	}
	body, err := get(stub, id)
	if body == nil || err != nil {
		return nil, err
	}
	v, _ := parseCanonical(string(body))
	index, err := indexKey(stub, entry{id: id, procedure: v.textOf("procedure")})
	if err != nil {
		return nil, err
	}
	tx, err := get(stub, index)
	if err != nil {
		return nil, err
	}
	return encode(struct {
		Body string `json:"body"`
		Tx   string `json:"tx"`
	}{string(body), string(tx)})
}

func (l *ledger) history(stub shim.ChaincodeStubInterface, procedure string) ([]byte, error) {
	if !isID(procedure) {
		return nil, refused("not a procedure")
	}
	keys, err := stub.GetStateByPartialCompositeKey(procedureIndex, []string{procedure})
	if err != nil {
		return nil, unavailable(err)
	}
	defer keys.Close()
	bodies := []byte("[")
	for keys.HasNext() {
		key, err := keys.Next()
		if err != nil {
			return nil, unavailable(err)
		}
		_, parts, err := stub.SplitCompositeKey(key.Key)
		if err != nil {
			return nil, unavailable(err)
		}
		body, err := get(stub, parts[1])
		if err != nil {
			return nil, err
		}
		if len(bodies) > 1 {
			bodies = append(bodies, ',')
		}
		bodies = append(bodies, body...)
	}
	return append(bodies, ']'), nil
}

func indexKey(stub shim.ChaincodeStubInterface, e entry) (string, error) {
	key, err := stub.CreateCompositeKey(procedureIndex, []string{e.procedure, e.id})
	if err != nil {
		return "", unavailable(err)
	}
	return key, nil
}

func get(stub shim.ChaincodeStubInterface, key string) ([]byte, error) {
	found, err := stub.GetState(key)
	if err != nil {
		return nil, unavailable(err)
	}
	return found, nil
}

func put(stub shim.ChaincodeStubInterface, key, text string) error {
	if err := stub.PutState(key, []byte(text)); err != nil {
		return unavailable(err)
	}
	return nil
}

func unavailable(err error) error { return fmt.Errorf("unavailable: %w", err) }

func encode(answer any) ([]byte, error) { return json.Marshal(answer) }
