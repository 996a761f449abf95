// Which organisation may report for which authority. The members of the channel agree on it: a text comes
// into force when an admin of each of them has submitted the very same.
package main

import (
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-chaincode-go/pkg/cid"
	"github.com/hyperledger/fabric-chaincode-go/shim"
)

const (
	entitlementsIndex = "entitlements"
	inForce           = "in-force"
	agreed            = "agreed"
)

// checkEntitlements reads {"<MSP id>":["<authority>",…],…}: canonical, of members only, each list in order
// and without repeats, of authorities of the policy.
func (l *ledger) checkEntitlements(text string, members []string) error {
	v, ok := parseCanonical(text)
	if !ok || v.kind != kindObject || len(text) > maxBody {
		return refused("entitlements are one canonical JSON object")
	}
	for i := range v.members {
		if !slices.Contains(members, v.members[i].name) {
			return refused("entitlements name an organisation that is no member")
		}
		if v.members[i].value.kind != kindArray {
			return refused("entitlements of an organisation are a list")
		}
		previous := ""
		for _, one := range v.members[i].value.items {
			if one.kind != kindString || !l.guard.authorities[one.text] || one.text <= previous {
				return refused("entitlements list authorities of the policy, in order and once")
			}
			previous = one.text
		}
	}
	return nil
}

func entitlementsKey(stub shim.ChaincodeStubInterface, parts ...string) (string, error) {
	key, err := stub.CreateCompositeKey(entitlementsIndex, parts)
	if err != nil {
		return "", unavailable(err)
	}
	return key, nil
}

// setEntitlements keeps what the caller's organisation agrees to; the payload says whether it is in force.
func (l *ledger) setEntitlements(stub shim.ChaincodeStubInterface, text string) ([]byte, error) {
	caller, err := cid.New(stub)
	if err != nil {
		return nil, errNoMember
	}
	msp, _ := caller.GetMSPID()
	members := l.members[stub.GetChannelID()]
	if admin, _ := caller.HasOUValue("admin"); !admin || !slices.Contains(members, msp) {
		return nil, errNoMember
	}
	if err := l.checkEntitlements(text, members); err != nil {
		return nil, err
	}
	all := true
	for _, one := range members {
		key, err := entitlementsKey(stub, agreed, one)
		if err != nil {
			return nil, err
		}
		if one == msp {
			err = put(stub, key, text)
		} else {
			var other []byte
			other, err = get(stub, key)
			all = all && string(other) == text
		}
		if err != nil {
			return nil, err
		}
	}
	if !all {
		return []byte(`{"inForce":false}`), nil
	}
	key, err := entitlementsKey(stub, inForce)
	if err != nil {
		return nil, err
	}
	return []byte(`{"inForce":true}`), put(stub, key, text)
}

var errNoMember = fmt.Errorf("not-entitled: only an admin of a member organisation sets entitlements")

// entitlements is the text in force, or empty.
func (l *ledger) entitlements(stub shim.ChaincodeStubInterface) ([]byte, error) {
	key, err := entitlementsKey(stub, inForce)
	if err != nil {
		return nil, err
	}
	return get(stub, key)
}

// checkEntitled errs unless the caller's organisation may report for the authority.
func (l *ledger) checkEntitled(stub shim.ChaincodeStubInterface, authority string) error {
	msp, err := cid.GetMSPID(stub)
	if err != nil {
		return unavailable(err)
	}
	text, err := l.entitlements(stub)
	if err != nil {
		return err
	}
	v, _ := parseCanonical(string(text))
	if list := v.find(msp); list != nil {
		for _, one := range list.items {
			if one.text == authority {
				return nil
			}
		}
	}
	return fmt.Errorf("not-entitled: this organisation may not report for this authority")
}
