#!/bin/sh
# In the container `define` of compose.yaml: joins the channel, agrees on the chaincode and on who reports
# for whom. Usage: define.sh <folder of the network> <policy.yaml>
# ORDERER, ORDERER_ADMIN, PEER0 and PEER1 name other addresses than those of compose.yaml.
set -eu
network=$1
orderer=${ORDERER:-orderer.betrieb.flora.example:7050}
export FABRIC_CFG_PATH="$network/config" FABRIC_LOGGING_SPEC=warn

# again <command …>: until it succeeds, for two minutes.
again() {
  tries=0
  until "$@" 2>"$network/define.log"; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { cat "$network/define.log" >&2; exit 1; }
    sleep 1
  done
}
# as <peer0|peer1> <command …>: as an admin of the peer's organisation.
as() {
  case $1 in
    peer0) msp=BundMSP domain=bund.flora.example address=${PEER0:-peer.bund.flora.example:7051} ;;
    *) msp=LaenderMSP domain=laender.flora.example address=${PEER1:-peer.laender.flora.example:7051} ;;
  esac
  tls="$network/$1/tls/ca.crt"
  shift
  CORE_PEER_LOCALMSPID=$msp CORE_PEER_ADDRESS=$address CORE_PEER_TLS_ROOTCERT_FILE=$tls \
    CORE_PEER_MSPCONFIGPATH="$network/crypto/peerOrganizations/$domain/users/Admin@$domain/msp" "$@"
}
# authorities <yes|no>: those of the Bund, or all others, as a JSON array.
authorities() {
  sed -n 's/^  - {id: "\([0-9]*\)",.* land: \([A-Z-]*\),.*/\2 \1/p' "$2" |
    awk -v bund="$1" '($1 == "DE") == (bund == "yes") {print "\"" $2 "\""}' | LC_ALL=C sort | paste -sd, -
}

server="$network/orderer/tls"
again osnadmin channel join --channelID default --config-block "$network/genesis.block" \
  -o "${ORDERER_ADMIN:-orderer.betrieb.flora.example:7053}" --ca-file "$server/ca.crt" \
  --client-cert "$server/server.crt" --client-key "$server/server.key"
definition="--channelID default --name flora --version 1 --sequence 1"
to_orderer="-o $orderer --tls --cafile $server/ca.crt"
endorsers="--peerAddresses ${PEER0:-peer.bund.flora.example:7051}
  --tlsRootCertFiles $network/peer0/tls/ca.crt
  --peerAddresses ${PEER1:-peer.laender.flora.example:7051}
  --tlsRootCertFiles $network/peer1/tls/ca.crt"
# shellcheck disable=SC2086 # the lists of options are meant to be split
{
  for peer in peer0 peer1; do
    again as $peer peer channel join -b "$network/genesis.block"
    again as $peer peer lifecycle chaincode install "$network/chaincode.tgz"
    again as $peer peer lifecycle chaincode approveformyorg --package-id "$(cat "$network/package-id")" \
      $definition $to_orderer
  done
  again as peer0 peer lifecycle chaincode commit $definition $to_orderer $endorsers
  text="{\\\"BundMSP\\\":[$(authorities yes "$2" | sed 's/"/\\"/g')],\\\"LaenderMSP\\\":[$(authorities no "$2" |
    sed 's/"/\\"/g')]}"
  for peer in peer0 peer1; do
    again as $peer peer chaincode invoke -C default -n flora $to_orderer $endorsers --waitForEvent \
      -c "{\"Args\":[\"SetEntitlements\",\"$text\"]}"
  done
}
