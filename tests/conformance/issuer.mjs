// An issuer of access tokens for tests: keys and tokens are made by the library jose, the key set is served
// over HTTPS on loopback. Whoever starts it tells it by lines of JSON on stdin what to do, and reads a line
// for each on stdout; the first one names the port.
// Usage: node issuer.mjs <certificate> <key>
import { createHmac, KeyObject, sign as signBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createInterface } from "node:readline";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";

const keys = new Map(); // By name: pair, algorithm and the JWK that is published.
let answer = { status: 503, body: "" };
let fetches = 0;

const server = createServer(
  { cert: readFileSync(process.argv[2]), key: readFileSync(process.argv[3]) },
  (request, response) => {
    ++fetches;
    response.writeHead(answer.status, { "content-type": "application/jwk-set+json", connection: "close" });
    response.end(answer.body);
  },
);

function listen(port) {
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server.address().port)));
}

// What node's own cryptography signs with, so that also what jose refuses to make can be made.
function signText({ key, alg, text }) {
  const { privateKey } = keys.get(key).pair;
  const own = KeyObject.from(privateKey);
  const how = {
    ES256: ["sha256", { key: own, dsaEncoding: "ieee-p1363" }],
    ES256_DER: ["sha256", { key: own, dsaEncoding: "der" }],
    RS256: ["sha256", { key: own }],
    RS512: ["sha512", { key: own }],
    PS256: ["sha256", { key: own, padding: 6, saltLength: 32 }],
    PS256_SHORT_SALT: ["sha256", { key: own, padding: 6, saltLength: 20 }],
    EdDSA: [null, own],
  }[alg];
  return signBytes(how[0], Buffer.from(text), how[1]).toString("base64url");
}

const actions = {
  async generate({ name, alg, bits = 3072, id = name }) {
    const pair = await generateKeyPair(alg, { extractable: true, modulusLength: bits });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: id, alg, use: "sig" };
    keys.set(name, { pair, alg, jwk, id });
    return { jwk, pem: await exportSPKI(pair.publicKey) };
  },
  publish({ names }) {
    answer = { status: 200, body: JSON.stringify({ keys: names.map((name) => keys.get(name).jwk) }) };
    return {};
  },
  answer({ status, body }) {
    answer = { status, body };
    return {};
  },
  async token({ key, claims }) {
    const { pair, alg, id } = keys.get(key);
    return { token: await new SignJWT(claims).setProtectedHeader({ alg, kid: id, typ: "at+jwt" }).sign(pair.privateKey) };
  },
  sign(wanted) {
    return { signature: signText(wanted) };
  },
  mac({ secret, text }) {
    return { signature: createHmac("sha256", secret).update(text).digest("base64url") };
  },
  fetches() {
    return { fetches };
  },
  close() {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve({})));
  },
  async open({ port }) {
    return { port: await listen(port) };
  },
};

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
say({ port: await listen(0) });
for await (const line of createInterface({ input: process.stdin })) {
  const { action, ...wanted } = JSON.parse(line);
  say(await actions[action](wanted));
}
process.exit(0);
