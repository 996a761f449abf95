#!/bin/sh
# In the container `prepare` of compose.yaml: keys, configuration, the first block and the chaincode's
# package. Usage: prepare.sh <folder of the network> <this repository's examples/fabric-network>
set -eu
network=$1
[ ! -e "$network/package-id" ] || exit 0
mkdir -p "$network/config"
for file in cryptogen configtx core orderer; do
  sed -e "s|\${crypto}|$network/crypto|g; s|\${builder}|$2/builder|g" \
    -e 's|${members}|*Bund, *Laender|g' \
    -e 's|${orderer_host}|orderer.betrieb.flora.example|g; s|${orderer_port}|7050|g' \
    -e 's|${peer0_host}|peer.bund.flora.example|g; s|${peer0_port}|7051|g' \
    -e 's|${peer1_host}|peer.laender.flora.example|g; s|${peer1_port}|7051|g' \
    "$2/config/$file.yaml" >"$network/config/$file.yaml"
done
export FABRIC_CFG_PATH="$network/config"
cryptogen generate --config="$network/config/cryptogen.yaml" --output="$network/crypto"
configtxgen -profile Flora -channelID default -outputBlock "$network/genesis.block"

peers="$network/crypto/peerOrganizations"
cp -r "$network/crypto/ordererOrganizations/betrieb.flora.example/orderers/orderer.betrieb.flora.example" \
  "$network/orderer"
cp -r "$peers/bund.flora.example/peers/peer.bund.flora.example" "$network/peer0"
cp -r "$peers/laender.flora.example/peers/peer.laender.flora.example" "$network/peer1"
cp -r "$peers/bund.flora.example/peers/chaincode.bund.flora.example" "$network/chaincode"
cat "$network/peer0/tls/ca.crt" "$network/peer1/tls/ca.crt" >"$network/config/chaincode-clients.pem"

# text <file>: its content as the text of a JSON string.
text() { awk '{printf "%s\\n", $0}' "$1"; }
for peer in peer0 peer1; do
  printf '{"address":"chaincode.bund.flora.example:9999","dial_timeout":"10s","tls_required":true,
"client_auth_required":true,"client_key":"%s","client_cert":"%s","root_cert":"%s"}' \
    "$(text "$network/$peer/tls/server.key")" "$(text "$network/$peer/tls/server.crt")" \
    "$(text "$network/chaincode/tls/ca.crt")" >"$network/config/connection-$peer.json"
done

package=$(mktemp -d)
echo '{"label":"flora","path":"","type":"flora-service"}' >"$package/metadata.json"
echo 'The chaincode runs as a service.' >"$package/README"
tar -C "$package" -czf "$package/code.tar.gz" README
tar -C "$package" -czf "$network/chaincode.tgz" metadata.json code.tar.gz
rm -rf "$package"
echo "flora:$(sha256sum "$network/chaincode.tgz" | cut -d' ' -f1)" >"$network/package-id"
