#!/bin/sh
# From nothing to verified ledger entries: installs what is missing, builds the gateway, starts it
# on a ledger and reports messages of three Länder in three formats (XAusländer, JSON, CSV),
# and a canonical event.
# Usage: examples/quickstart.sh [--ledger embedded | fabric] [--keep | --binary <flora-gateway>]
#   --ledger   embedded: one file, the default; fabric: a real Hyperledger Fabric network on this
#              machine, without Docker, which is built the first time (minutes)
#   --keep     the gateway goes on running until you end it
#   --binary   installs and builds nothing, but runs this one
set -eu
cd "$(dirname "$0")/.."

gateway=build/release/gateway/flora-gateway
ledger=embedded
binary=''
keep=''
while [ $# -gt 0 ]; do
  case "$1" in
    --ledger) ledger=$2; shift ;;
    --binary) binary=$2; shift ;;
    --keep) keep=yes ;;
    *) ledger='' ;;
  esac
  shift
done
case "$ledger" in
  embedded | fabric) ;;
  *) sed -n '5,9s/^# *//p' "$0" >&2; exit 2 ;;
esac
if [ -n "$binary" ]; then
  gateway=$binary
else
  examples/packages.sh build
  echo '== Building (minutes the first time, seconds afterwards)'
  openapi/fetch-viewer.sh build/release/viewer
  [ -e build/release/build.ninja ] || cmake --preset release -DFLORA_TESTS=OFF >build/release.log
  cmake --build build/release --target flora-gateway
fi

run=$(mktemp -d)
log="$run/gateway.log"
pid=''
finish() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
  [ ! -e "$run/network" ] || examples/fabric-network/down.sh "$run/network" || true
  rm -rf "$run"
}
trap finish EXIT
trap 'exit 130' INT TERM

config=config/gateway.yaml
prefer='return=representation'
if [ "$ledger" = fabric ]; then
  echo '== Starting a Hyperledger Fabric network: two organisations, orderer, chaincode'
  network=$(examples/fabric-network/up.sh "$run/network")
  config="$run/gateway.yaml"
  examples/fabric-network/settings.py "$network" >"$config"
  # Otherwise a report is answered when it is durable here: 202, and the receipt is fetched afterwards.
  prefer='wait=30'
fi
echo '== Starting the gateway with new keys and an empty ledger'
"$gateway" init --config "$config" --data "$run/data" >"$run/init"
if [ "$ledger" = fabric ]; then
  proof="--organisations $(python3 -c "
import json, sys
print(','.join(o['mspId'] + '=' + o['ca'][0] for o in json.load(open('$network'))['organisations']))")"
else
  proof="--key $(sed -n 's/^verifier key: //p' "$run/init")"
fi
"$gateway" serve --config "$config" --data "$run/data" --port 0 --operations-port 0 --port-file "$run/ports" 2>"$log" &
pid=$!
tries=0
until [ -s "$run/ports" ]; do
  kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; exit 1; }
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || { echo 'the gateway does not start' >&2; exit 1; }
  sleep 0.1
done
read -r port operations <"$run/ports"
url="http://127.0.0.1:$port"

# post <authority> <path> <content type> <file>: the status on stdout, the answer in $run/answer
post() {
  curl -sS -o "$run/answer" -w '%{http_code}' -H "Flora-Dev-Authority: $1" -H "Content-Type: $3" \
    -H "Prefer: $prefer" --data-binary "@$4" "$url$2"
}
# expect <status> <status seen> <what>
expect() {
  [ "$1" = "$2" ] || { echo "$3: expected $1, got $2" >&2; cat "$run/answer" >&2; exit 1; }
  echo "   $3: $2"
}
# get <expression over the answer `a`>
get() { python3 -c "import json,sys; a=json.load(open('$run/answer')); print($1)"; }

# send <authority> <adapter> <content type> <message>: of each item the outcome, its receipt in a file
send() {
  expect 200 "$(post "$1" "/v1/adapters/$2/messages" "$3" "adapters/$2/fixtures/accepted/$4")" "$4"
  python3 - "$run" <<'PYTHON'
import glob, json, sys
run = sys.argv[1]
receipts = len(glob.glob(run + "/receipt-*"))
for item in json.load(open(run + "/answer"))["items"]:
    said = "   item %d: " % (item["item"] + 1)
    if "skipped" in item:
        print(said + "skipped, " + ", ".join(issue["code"] for issue in item["skipped"]))
        continue
    submission = item["submission"]
    entry = json.loads(submission["receipt"]["entry"])
    print("%s%s, procedure %s, ledger entry %d" % (
        said, entry["status"], entry["procedure"], submission["logIndex"]))
    receipts += 1
    json.dump(submission["receipt"], open("%s/receipt-%02d" % (run, receipts), "w"))
PYTHON
}

echo '== Niedersachsen: an XAusländer message about two persons (Asyl.NichterscheinenInAeOderAbh.111207)'
send 999912 de-ni-xauslaender application/xml 111207-two-persons.xml
get "'   on the ledger: ' + a['items'][0]['submission']['receipt']['entry']"

echo '== Sachsen (a simulated dialect): the history of a procedure, as JSON'
send 999904 de-sn-assist application/json history.json

echo '== Brandenburg (a simulated dialect): the export of a day, as CSV in ISO-8859-1'
send 999906 de-bb-export text/csv tagesexport.csv

echo '== A canonical status event (JSON)'
event=examples/messages/status-event.json
expect 201 "$(post 999912 /v1/status-events application/json $event)" 'new event'
get "json.dump(a['receipt'], open('$run/receipt-event', 'w')) or '   transaction ' + a['transactionId']"

echo '== The same event again: nothing is recorded twice, the first receipt comes back'
expect 200 "$(post 999912 /v1/status-events application/json $event)" 'repeat'
get "json.dump(a['receipt'], open('$run/repeated', 'w')) or '   transaction ' + a['transactionId']"
cmp -s "$run/receipt-event" "$run/repeated" || { echo 'the receipts differ' >&2; exit 1; }
echo '   same receipt, byte for byte'

echo '== A message with a mistake: where it is, in the message as it was sent'
ni=adapters/de-ni-xauslaender
sed 's/<\/xa:person>/<\/xa:persn>/' $ni/fixtures/accepted/111207-two-persons.xml >"$run/bad.xml"
expect 422 "$(post 999912 /v1/$ni/messages application/xml "$run/bad.xml")" 'bad message'
get "'\n'.join('   line %d, column %d: %s' % (e['line'], e['column'], e['detail'])
  for e in a['errors'])"

echo '== The receipts, checked offline with public keys alone'
kill "$pid" && wait "$pid" || { echo 'the gateway did not end well' >&2; exit 1; }
pid=''
for receipt in "$run"/receipt-*; do
  # shellcheck disable=SC2086 # an option and its value
  echo "   $("$gateway" receipt verify "$receipt" $proof)"
done
check=fsck
[ "$ledger" = embedded ] || check=rebuild
"$gateway" ledger $check --config "$config" --data "$run/data" | sed 's/^/   /'
echo '== Done. Read the interface: openapi/flora-gateway.yaml, or /docs on a running gateway.'

if [ -n "$keep" ]; then
  "$gateway" serve --config "$config" --data "$run/data" 2>"$log" &
  pid=$!
  echo 'Running on http://127.0.0.1:8080 (see /docs); end it with Ctrl-C.'
  wait "$pid"
fi
