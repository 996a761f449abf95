// Sends one event through the CloudEvents SDK in each of its content modes (structured, binary,
// batched) to a running gateway: the first is new, the others are repeats of it with the same receipt.
// Usage: node cloudevents_client.mjs <base URL> [authority]
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CloudEvent, HTTP } from "cloudevents";

const [base, authority = "000250"] = process.argv.slice(2);
if (!base) {
  console.error("usage: node cloudevents_client.mjs <base URL> [authority]");
  process.exit(2);
}

async function post(headers, body) {
  const response = await fetch(`${base}/v1/status-events`, {
    method: "POST",
    headers: { ...headers, "Flora-Dev-Authority": authority },
    body,
  });
  return { status: response.status, body: await response.json() };
}

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
  const structured = HTTP.structured(event);
  const first = await post(structured.headers, structured.body);
  assert.equal(first.status, 201, JSON.stringify(first.body));
  assert.equal(first.body.state, "COMMITTED");

  const binary = HTTP.binary(event);
  const second = await post(binary.headers, binary.body);
  assert.equal(second.status, 200, JSON.stringify(second.body));
  assert.deepEqual(second.body, first.body);

  const batch = await post({ "content-type": "application/cloudevents-batch+json" },
                           JSON.stringify([event, event]));
  assert.equal(batch.status, 200, JSON.stringify(batch.body));
  for (const item of batch.body.items) {
    assert.equal(item.status, 200, JSON.stringify(item));
    assert.deepEqual(item.submission.receipt ?? first.body.receipt, first.body.receipt);
    assert.equal(item.submission.transactionId, first.body.transactionId);
  }
  return first.body.receipt;
}

const instant = makeEvent({ status: "ANKUNFT_AE", details: { zustaendigeAE: true } });
const receipt = await sendInAllModes(instant);
assert.equal(JSON.parse(receipt.entry).occurredAt, instant.time);
const day = await sendInAllModes(makeEvent({ status: "REGISTRIERUNG_ABGESCHLOSSEN", occurredOn: "2026-11-02" }));
assert.equal(JSON.parse(day.entry).occurredOn, "2026-11-02");
console.log("structured, binary and batched events are understood alike");
