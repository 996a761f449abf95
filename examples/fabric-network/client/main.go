// Command client submits to a network that up.sh has started, asks it and follows its events, over the
// gateway service of an organisation's peer. It is small on purpose: what shows that a network works must
// not depend on the gateway's own client.
//
//	client -network network.json -as BundMSP [-admin] submit <function> <argument>…
//	client -network network.json -as BundMSP [-admin] evaluate <function> <argument>…
//	client -network network.json -as BundMSP [-block n] events <how many>
//
// A submission prints {"tx", "block", "payload"} once it is committed, an evaluation its payload, events
// one {"tx", "block", "name", "payload"} per line. Exit code 1: refused or not reached; stderr says why.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/golang/protobuf/proto"
	"github.com/golang/protobuf/ptypes"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/gateway"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/orderer"
	"github.com/hyperledger/fabric-protos-go/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

type identity struct{ Certificate, Key string }

type organisation struct {
	MspID         string `json:"mspId"`
	Peer          string
	TLSCa         string `json:"tlsCa"`
	TLSServerName string `json:"tlsServerName"`
	Client, Admin identity
}

type network struct {
	Channel, Chaincode string
	Organisations      []organisation
}

func main() {
	description := flag.String("network", "network.json", "the file that up.sh writes")
	as := flag.String("as", "BundMSP", "the organisation whose identity and peer are used")
	admin := flag.Bool("admin", false, "as its admin, not its client")
	block := flag.Uint64("block", 0, "the block from which events are told")
	timeout := flag.Duration("timeout", 30*time.Second, "the time for all of it")
	flag.Parse()
	if err := run(*description, *as, *admin, *block, *timeout, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "client:", explain(err))
		os.Exit(1)
	}
}

func run(description, as string, admin bool, block uint64, timeout time.Duration, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: client [flags] submit|evaluate|events <argument>…")
	}
	c, err := open(description, as, admin)
	if err != nil {
		return err
	}
	defer c.connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	switch args[0] {
	case "submit":
		return c.submit(ctx, args[1:])
	case "evaluate":
		return c.evaluate(ctx, args[1:])
	case "events":
		count, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return c.events(ctx, block, count)
	}
	return fmt.Errorf("no command %q", args[0])
}

// explain adds what the peers have said to an error of the gateway service.
func explain(err error) string {
	text := err.Error()
	for _, detail := range status.Convert(err).Details() {
		if one, ok := detail.(*gateway.ErrorDetail); ok {
			text += "\n  " + one.MspId + ": " + one.Message
		}
	}
	return text
}

type client struct {
	network    network
	key        *ecdsa.PrivateKey
	creator    []byte
	connection *grpc.ClientConn
	gateway    gateway.GatewayClient
}

func open(description, as string, admin bool) (*client, error) {
	c := &client{}
	text, err := os.ReadFile(description)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &c.network); err != nil {
		return nil, err
	}
	for _, one := range c.network.Organisations {
		if one.MspID != as {
			continue
		}
		who := one.Client
		if admin {
			who = one.Admin
		}
		if err := c.identify(one.MspID, who); err != nil {
			return nil, err
		}
		return c, c.connect(one)
	}
	return nil, fmt.Errorf("no organisation %q", as)
}

func (c *client) identify(mspID string, who identity) error {
	certificate, err := os.ReadFile(who.Certificate)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(who.Key)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("the key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	var ok bool
	if c.key, ok = key.(*ecdsa.PrivateKey); !ok {
		return errors.New("the key is not for ECDSA")
	}
	c.creator, err = proto.Marshal(&msp.SerializedIdentity{Mspid: mspID, IdBytes: certificate})
	return err
}

func (c *client) connect(to organisation) error {
	ca, err := os.ReadFile(to.TLSCa)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: to.TLSServerName})
	c.connection, err = grpc.Dial(to.Peer, grpc.WithTransportCredentials(transport))
	if err != nil {
		return err
	}
	c.gateway = gateway.NewGatewayClient(c.connection)
	return nil
}

// sign makes a DER signature with a low S, as peers demand.
func (c *client) sign(message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, c.key, digest[:])
	if err != nil {
		return nil, err
	}
	order := elliptic.P256().Params().N
	if s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{r, s})
}

// marshal is proto.Marshal of messages that are made here, which cannot fail.
func marshal(message proto.Message) []byte {
	bytes, err := proto.Marshal(message)
	if err != nil {
		panic(err)
	}
	return bytes
}

// propose signs a call of the chaincode; its name is the Fabric transaction id.
func (c *client) propose(args []string) (string, *peer.SignedProposal, error) {
	nonce := make([]byte, 24)
	if _, err := rand.Read(nonce); err != nil {
		return "", nil, err
	}
	digest := sha256.Sum256(append(append([]byte{}, nonce...), c.creator...))
	id := hex.EncodeToString(digest[:])
	chaincode := &peer.ChaincodeID{Name: c.network.Chaincode}
	header := &common.Header{
		ChannelHeader: marshal(&common.ChannelHeader{
			Type: int32(common.HeaderType_ENDORSER_TRANSACTION), Timestamp: ptypes.TimestampNow(),
			ChannelId: c.network.Channel, TxId: id,
			Extension: marshal(&peer.ChaincodeHeaderExtension{ChaincodeId: chaincode})}),
		SignatureHeader: marshal(&common.SignatureHeader{Creator: c.creator, Nonce: nonce}),
	}
	input := &peer.ChaincodeInput{}
	for _, one := range args {
		input.Args = append(input.Args, []byte(one))
	}
	call := &peer.ChaincodeInvocationSpec{
		ChaincodeSpec: &peer.ChaincodeSpec{ChaincodeId: chaincode, Input: input}}
	proposal := marshal(&peer.Proposal{Header: marshal(header),
		Payload: marshal(&peer.ChaincodeProposalPayload{Input: marshal(call)})})
	signature, err := c.sign(proposal)
	return id, &peer.SignedProposal{ProposalBytes: proposal, Signature: signature}, err
}

func (c *client) evaluate(ctx context.Context, args []string) error {
	id, proposal, err := c.propose(args)
	if err != nil {
		return err
	}
	answer, err := c.gateway.Evaluate(ctx, &gateway.EvaluateRequest{TransactionId: id,
		ChannelId: c.network.Channel, ProposedTransaction: proposal})
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(answer.Result.Payload, '\n'))
	return err
}

func (c *client) submit(ctx context.Context, args []string) error {
	id, proposal, err := c.propose(args)
	if err != nil {
		return err
	}
	endorsed, err := c.gateway.Endorse(ctx, &gateway.EndorseRequest{TransactionId: id,
		ChannelId: c.network.Channel, ProposedTransaction: proposal})
	if err != nil {
		return err
	}
	envelope := endorsed.PreparedTransaction
	if envelope.Signature, err = c.sign(envelope.Payload); err != nil {
		return err
	}
	payload, err := answerIn(envelope)
	if err != nil {
		return err
	}
	if _, err = c.gateway.Submit(ctx, &gateway.SubmitRequest{TransactionId: id,
		ChannelId: c.network.Channel, PreparedTransaction: envelope}); err != nil {
		return err
	}
	block, err := c.committed(ctx, id)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"tx": id, "block": block, "payload": payload})
}

// committed waits for the block that holds the transaction.
func (c *client) committed(ctx context.Context, id string) (uint64, error) {
	request := marshal(&gateway.CommitStatusRequest{TransactionId: id, ChannelId: c.network.Channel,
		Identity: c.creator})
	signature, err := c.sign(request)
	if err != nil {
		return 0, err
	}
	status, err := c.gateway.CommitStatus(ctx,
		&gateway.SignedCommitStatusRequest{Request: request, Signature: signature})
	if err != nil {
		return 0, err
	}
	if status.Result != peer.TxValidationCode_VALID {
		return 0, fmt.Errorf("not valid: %s", status.Result)
	}
	return status.BlockNumber, nil
}

// answerIn is the chaincode's answer in an endorsed envelope.
func answerIn(envelope *common.Envelope) (string, error) {
	payload, transaction := &common.Payload{}, &peer.Transaction{}
	action, response := &peer.ChaincodeActionPayload{}, &peer.ProposalResponsePayload{}
	result := &peer.ChaincodeAction{}
	if err := proto.Unmarshal(envelope.Payload, payload); err != nil {
		return "", err
	}
	if err := proto.Unmarshal(payload.Data, transaction); err != nil {
		return "", err
	}
	if len(transaction.Actions) != 1 {
		return "", errors.New("an endorsed envelope without exactly one action")
	}
	if err := proto.Unmarshal(transaction.Actions[0].Payload, action); err != nil {
		return "", err
	}
	if err := proto.Unmarshal(action.Action.ProposalResponsePayload, response); err != nil {
		return "", err
	}
	if err := proto.Unmarshal(response.Extension, result); err != nil {
		return "", err
	}
	return string(result.Response.Payload), nil
}

func (c *client) events(ctx context.Context, block uint64, count int) error {
	request := marshal(&gateway.ChaincodeEventsRequest{ChannelId: c.network.Channel,
		ChaincodeId: c.network.Chaincode, Identity: c.creator,
		StartPosition: &orderer.SeekPosition{Type: &orderer.SeekPosition_Specified{
			Specified: &orderer.SeekSpecified{Number: block}}}})
	signature, err := c.sign(request)
	if err != nil {
		return err
	}
	stream, err := c.gateway.ChaincodeEvents(ctx,
		&gateway.SignedChaincodeEventsRequest{Request: request, Signature: signature})
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for told := 0; told < count; {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, event := range answer.Events {
			told++
			payload := strings.ToValidUTF8(string(event.Payload), "?")
			if err := out.Encode(map[string]any{"tx": event.TxId, "block": answer.BlockNumber,
				"name": event.EventName, "payload": payload}); err != nil {
				return err
			}
		}
	}
	return nil
}
