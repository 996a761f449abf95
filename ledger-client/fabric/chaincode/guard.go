// The guard of the ledger: the verdicts of the gateway's own (gateway/privacy/guard.h), from the same
// texts, so that a gateway that was changed or broken writes nothing that is open.
package main

import (
	_ "embed"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// Laid in by lay-in.sh.
var (
	//go:embed flora-gateway.yaml
	documentText []byte
	//go:embed policy.yaml
	policyText []byte
	//go:embed statuses.yaml
	catalogueText []byte
)

// The longest text of a transaction, in bytes: what an entry of a tlog-tiles bundle can hold.
const maxBody = 65535

// Immutable once made.
type guard struct {
	transaction *rule
	tombstone   *rule
	details     map[string]*rule // By status.
	authorities map[string]bool
	sites       map[string]bool
	catalogue   string
	channels    []string
}

// An entry of the ledger, as far as the chaincode needs to know it.
type entry struct {
	id, procedure, authority string
}

func newGuard(channels []string) (*guard, error) {
	g := &guard{details: map[string]*rule{}, authorities: map[string]bool{}, sites: map[string]bool{},
		channels: channels}
	if err := g.readSchemas(); err != nil {
		return nil, fmt.Errorf("flora-gateway.yaml, statuses.yaml: %w", err)
	}
	return g, g.readPolicy()
}

func (g *guard) readSchemas() (err error) {
	c := compiler{done: map[string]*rule{}}
	if err = yaml.Unmarshal(documentText, &c.root); err != nil {
		return err
	}
	if g.transaction, err = c.at("#/components/schemas/TransactionV1"); err != nil {
		return err
	}
	if g.tombstone, err = c.at("#/components/schemas/TombstoneV1"); err != nil {
		return err
	}
	var catalogue struct {
		Version  string
		Statuses []struct{ Name, Details string }
	}
	if err = yaml.Unmarshal(catalogueText, &catalogue); err != nil {
		return err
	}
	g.catalogue = catalogue.Version
	for _, status := range catalogue.Statuses {
		if g.details[status.Name], err = c.at("#/components/schemas/" + status.Details); err != nil {
			return err
		}
	}
	return nil
}

func (g *guard) readPolicy() error {
	var policy struct {
		Authorities []struct {
			ID    string
			Sites []string
		}
	}
	if err := yaml.Unmarshal(policyText, &policy); err != nil {
		return fmt.Errorf("policy.yaml: %w", err)
	}
	for _, authority := range policy.Authorities {
		g.authorities[authority.ID] = true
		for _, site := range authority.Sites {
			g.sites[site] = true
		}
	}
	return nil
}

// check reads a body. The error says in closed words what is wrong, and nothing of the content.
func (g *guard) check(body string) (entry, error) {
	if len(body) > maxBody {
		return entry{}, refused("it is longer than 65535 bytes")
	}
	v, ok := parseCanonical(body)
	if !ok {
		return entry{}, refused("it is not canonical JSON")
	}
	judge := g.checkTransaction
	if v.find("kind") != nil {
		judge = g.checkTombstone
	}
	if err := judge(&v); err != nil {
		return entry{}, err
	}
	return entry{v.textOf("id"), v.textOf("procedure"), v.textOf("authority")}, nil
}

func refused(what string) error { return fmt.Errorf("invalid: %s", what) }

func (g *guard) checkTombstone(v *value) error {
	if !g.tombstone.accepts(v) {
		return refused("it breaks the schema TombstoneV1")
	}
	return g.checkCommon(v)
}

func (g *guard) checkTransaction(v *value) error {
	if !g.transaction.accepts(v) {
		return refused("it breaks the schema TransactionV1")
	}
	details, known := g.details[v.textOf("status")]
	if !known {
		return refused("the status is not in the catalogue")
	}
	if given := v.find("details"); given != nil {
		if !details.accepts(given) {
			return refused("the details are not those of the status")
		}
		receiver := given.find("empfaengerBehoerde")
		if receiver != nil && !g.authorities[receiver.text] {
			return refused("the receiving authority is not in the policy")
		}
	}
	if site := v.find("site"); site != nil && !g.sites[site.text] {
		return refused("the site is not in the policy")
	}
	if v.textOf("catalogue") != g.catalogue {
		return refused("the catalogue is not the one in force")
	}
	return g.checkCommon(v)
}

// checkCommon checks what transactions and tombstones share, and that ids and instants have their one form.
func (g *guard) checkCommon(v *value) error {
	if !g.authorities[v.textOf("authority")] {
		return refused("the authority is not in the policy")
	}
	if !slices.Contains(g.channels, v.textOf("channel")) {
		return refused("the channel is not one of this network")
	}
	for _, name := range []string{"id", "procedure", "corrects", "revokes", "mergedInto"} {
		if found := v.find(name); found != nil && !isID(found.text) {
			return refused("an id is not in its canonical form")
		}
	}
	for _, name := range []string{"recordedAt", "occurredAt"} {
		if found := v.find(name); found != nil && !isInstant(found.text) {
			return refused("an instant is not in its canonical form")
		}
	}
	return nil
}
