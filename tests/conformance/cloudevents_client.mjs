// Sends one event through the HTTP emitter of the CloudEvents SDK in each of its content modes, and in
// a batch, to a running gateway: the first is new, the others are repeats of it with the same receipt.
// Usage: node cloudevents_client.mjs <base URL> [authority]
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from "cloudevents";

const [base, authority = "000250"] = process.argv.slice(2);
if (!base) {
  console.error("usage: node cloudevents_client.mjs <base URL> [authority]");
  process.exit(2);
}

const ownFields = { "Flora-Dev-Authority": authority };

// As the SDK's own transport, which does not tell the status.
async function post({ headers, body }) {
  const response = await fetch(`${base}/v1/status-events`, {
    method: "POST",
    headers: { ...headers, ...ownFields },
    body,
  });
  return { status: response.status, body: await response.json() };
}

const emitStructured = emitterFor(post, { binding: HTTP, mode: Mode.STRUCTURED });
const emitBinary = emitterFor(post, { binding: HTTP, mode: Mode.BINARY });
const emitByTransport = emitterFor(httpTransport(`${base}/v1/status-events`), { mode: Mode.BINARY });

function makeEvent(data) {
  return new CloudEvent({
    type: "de.bamf.flora.status-event.v1",
    source: "urn:example:cloudevents-sdk",
    id: randomUUID(),
    subject: "ignored",
    vendorextension: "ignored",
    datacontenttype: "application/json",
    data: {
      procedure: { identifiers: [{ type: "D_NUMMER", value: `T${Date.now()}` }] },
      reporter: { authority },
      ...data,
    },
  });
}

async function sendInAllModes(event) {
  const first = await emitStructured(event);
  assert.equal(first.status, 201, JSON.stringify(first.body));
  assert.equal(first.body.state, "COMMITTED");

  const second = await emitBinary(event);
  assert.equal(second.status, 200, JSON.stringify(second.body));
  assert.deepEqual(second.body, first.body);

  const third = await emitByTransport(event, { headers: ownFields });
  assert.deepEqual(JSON.parse(third.body), first.body);

  const batch = await post({
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify([event, event]),
  });
  assert.equal(batch.status, 200, JSON.stringify(batch.body));
  for (const item of batch.body.items) {
    assert.equal(item.status, 200, JSON.stringify(item));
    assert.deepEqual(item.submission, first.body);
  }
  return first.body.receipt;
}

const instant = makeEvent({ status: "ANKUNFT_AE", details: { zustaendigeAE: true } });
const receipt = await sendInAllModes(instant);
assert.equal(JSON.parse(receipt.entry).occurredAt, instant.time);
const day = await sendInAllModes(makeEvent({ status: "REGISTRIERUNG_ABGESCHLOSSEN", occurredOn: "2026-11-02" }));
assert.equal(JSON.parse(day.entry).occurredOn, "2026-11-02");
console.log("structured, binary and batched events are understood alike");
