#!/bin/sh
# From nothing to verified ledger entries: installs what is missing, builds the gateway, starts it
# on the embedded ledger and reports an XAusländer message of two persons and a canonical event.
# Usage: examples/quickstart.sh [--keep]     --keep: the gateway goes on running until you end it
set -eu
cd "$(dirname "$0")/.."

examples/packages.sh build
echo '== Building (minutes the first time, seconds afterwards)'
openapi/fetch-viewer.sh build/release/viewer
[ -e build/release/build.ninja ] || cmake --preset release -DFLORA_TESTS=OFF >build/release.log
cmake --build build/release --target flora-gateway

gateway=build/release/gateway/flora-gateway
run=$(mktemp -d)
log="$run/gateway.log"
pid=''
finish() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
  rm -rf "$run"
}
trap finish EXIT
trap 'exit 130' INT TERM

echo '== Starting the gateway with new keys and an empty ledger'
"$gateway" init --data "$run/data" >"$run/init"
key=$(sed -n 's/^verifier key: //p' "$run/init")
"$gateway" serve --data "$run/data" --port 0 --operations-port 0 --port-file "$run/ports" 2>"$log" &
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

# post <path> <content type> <file>: the status on stdout, the answer in $run/answer
post() {
  curl -sS -o "$run/answer" -w '%{http_code}' -H 'Flora-Dev-Authority: 999912' \
    -H "Content-Type: $2" --data-binary "@$3" "$url$1"
}
# expect <status> <status seen> <what>
expect() {
  [ "$1" = "$2" ] || { echo "$3: expected $1, got $2" >&2; cat "$run/answer" >&2; exit 1; }
  echo "   $3: $2"
}
# get <expression over the answer `a`>
get() { python3 -c "import json,sys; a=json.load(open('$run/answer')); print($1)"; }

echo '== An XAusländer message about two persons (Asyl.NichterscheinenInAeOderAbh.111207)'
messages=/v1/adapters/de-ni-xauslaender/messages
fixtures=adapters/de-ni-xauslaender/fixtures
expect 200 "$(post $messages application/xml $fixtures/accepted/111207-two-persons.xml)" 'message'
get "'\n'.join('   person %d: %d %s, procedure %s, entry %d' % (i['item'] + 1, i['status'],
  i['submission']['state'], i['submission']['procedureId'], i['submission']['logIndex'])
  for i in a['items'])"
get "json.dump(a['items'][0]['submission']['receipt'], open('$run/receipt-1', 'w')) or
  json.dump(a['items'][1]['submission']['receipt'], open('$run/receipt-2', 'w')) or
  '   on the ledger: ' + a['items'][0]['submission']['receipt']['entry']"

echo '== A canonical status event (JSON)'
event=examples/messages/status-event.json
expect 201 "$(post /v1/status-events application/json $event)" 'new event'
get "json.dump(a['receipt'], open('$run/receipt-3', 'w')) or '   transaction ' + a['transactionId']"

echo '== The same event again: nothing is recorded twice, the first receipt comes back'
expect 200 "$(post /v1/status-events application/json $event)" 'repeat'
get "json.dump(a['receipt'], open('$run/receipt-4', 'w')) or '   transaction ' + a['transactionId']"
cmp -s "$run/receipt-3" "$run/receipt-4" || { echo 'the receipts differ' >&2; exit 1; }
echo '   same receipt, byte for byte'

echo '== A message with a mistake: where it is, in the message as it was sent'
sed 's/<\/xa:person>/<\/xa:persn>/' $fixtures/accepted/111207-two-persons.xml >"$run/bad.xml"
expect 422 "$(post $messages application/xml "$run/bad.xml")" 'bad message'
get "'\n'.join('   line %d, column %d: %s' % (e['line'], e['column'], e['detail'])
  for e in a['errors'])"

echo '== The receipts, checked offline with the public key alone'
kill "$pid" && wait "$pid" || { echo 'the gateway did not end well' >&2; exit 1; }
pid=''
for n in 1 2 3; do
  echo "   $("$gateway" receipt verify "$run/receipt-$n" --key "$key")"
done
"$gateway" ledger fsck --data "$run/data" | sed 's/^/   /'
echo '== Done. Read the interface: openapi/flora-gateway.yaml, or /docs on a running gateway.'

if [ "${1:-}" = --keep ]; then
  "$gateway" serve --data "$run/data" 2>"$log" &
  pid=$!
  echo 'Running on http://127.0.0.1:8080 (see /docs); end it with Ctrl-C.'
  wait "$pid"
fi
