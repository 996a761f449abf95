// The chaincode of the FLORA ledger as a service: each peer of its organisation connects to it, both
// sides with certificates. Settings come as environment:
//
//	CHAINCODE_ID              the package id that the peer knows it by
//	CHAINCODE_SERVER_ADDRESS  where it listens
//	CHAINCODE_TLS_CERT, CHAINCODE_TLS_KEY, CHAINCODE_CLIENT_CA_CERT   files (PEM)
//	FLORA_MEMBERS             the MSP ids that must agree on entitlements, separated by commas
//	FLORA_CHANNELS            the channels that a transaction may name, separated by commas; one that has other
//	                          members says so, such as flora-ni=BundMSP+NiMSP
//
// The last two must be the same at every organisation: where they differ, endorsements differ, and the
// network commits nothing.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/shim"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "chaincode:", err)
		os.Exit(1)
	}
}

func serve() error {
	ledger, err := newLedger(list("FLORA_MEMBERS"), list("FLORA_CHANNELS"))
	if err != nil {
		return err
	}
	var files [3][]byte
	for i, name := range []string{"CHAINCODE_TLS_KEY", "CHAINCODE_TLS_CERT", "CHAINCODE_CLIENT_CA_CERT"} {
		if files[i], err = os.ReadFile(os.Getenv(name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	server := &shim.ChaincodeServer{
		CCID:     os.Getenv("CHAINCODE_ID"),
		Address:  os.Getenv("CHAINCODE_SERVER_ADDRESS"),
		CC:       ledger,
		TLSProps: shim.TLSProperties{Key: files[0], Cert: files[1], ClientCACerts: files[2]},
	}
	return server.Start()
}

func list(variable string) []string {
	text := os.Getenv(variable)
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
