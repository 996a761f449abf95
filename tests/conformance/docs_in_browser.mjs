// Opens /docs of a running gateway in headless Chromium, unfolds an operation, and fails on any
// console message of level warning or error, on any exception, and on any request that leaves the
// gateway. Usage: node docs_in_browser.mjs <base URL> [screenshot.png]. Needs chromium.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [base, screenshot] = process.argv.slice(2);
if (!base) {
  console.error("usage: node docs_in_browser.mjs <base URL> [screenshot.png]");
  process.exit(2);
}

const kDeadlineMs = 60_000;

// The DevTools protocol over the browser's file descriptors 3 and 4: JSON texts that end in NUL.
class Browser {
  constructor(profile) {
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
                   "--window-size=1300,2000", `--user-data-dir=${profile}`];
    this.process = spawn("chromium", flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.waiting = new Map();
    this.listeners = [];
    this.next = 1;
    let buffered = "";
    this.process.stdio[4].on("data", (bytes) => {
      buffered += bytes;
      const texts = buffered.split("\0");
      buffered = texts.pop();
      texts.forEach((text) => this.receive(JSON.parse(text)));
    });
  }

  receive(message) {
    if (message.id) {
      const { resolve, reject } = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      message.error ? reject(new Error(message.error.message)) : resolve(message.result);
    } else {
      this.listeners.forEach((listener) => listener(message));
    }
  }

  send(method, params = {}, sessionId = undefined) {
    const id = this.next++;
    this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }
}

const complaints = [];
let requests = 0;

function listen(message) {
  const { method, params } = message;
  if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.text);
  if (method === "Log.entryAdded" && ["warning", "error"].includes(params.entry.level)) {
    complaints.push(`${params.entry.source}: ${params.entry.text}`);
  }
  if (method === "Runtime.consoleAPICalled" && ["warning", "error", "assert"].includes(params.type)) {
    complaints.push(`console.${params.type}: ${JSON.stringify(params.args.map((a) => a.value))}`);
  }
  if (method === "Network.requestWillBeSent") {
    ++requests;
    const url = params.request.url;
    if (!url.startsWith(base) && !url.startsWith("data:")) complaints.push(`request to ${url}`);
  }
}

async function until(what, condition) {
  const deadline = Date.now() + kDeadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen in time`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function visit(browser, expected) {
  const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
  const page = (method, params) => browser.send(method, params, sessionId);
  const evaluate = async (expression) => (await page("Runtime.evaluate", { expression })).result.value;
  for (const domain of ["Runtime", "Log", "Network", "Page"]) await page(`${domain}.enable`);
  await page("Page.navigate", { url: `${base}/docs` });
  await until("showing the operations", async () =>
    (await evaluate("document.querySelectorAll('.opblock').length")) === expected);
  await evaluate("document.querySelector('.opblock-summary-control').click()");
  await until("unfolding an operation", async () =>
    (await evaluate("document.querySelectorAll('.opblock-body .responses-table').length")) > 0);
  const { data } = await page("Page.captureScreenshot", { captureBeyondViewport: true });
  if (screenshot) writeFileSync(screenshot, Buffer.from(data, "base64"));
}

const document = await (await fetch(`${base}/openapi.json`)).json();
const operations = Object.values(document.paths)
  .flatMap((item) => Object.keys(item))
  .filter((name) => ["get", "put", "post", "delete", "patch"].includes(name)).length;
const profile = mkdtempSync(join(tmpdir(), "flora-docs-"));
const browser = new Browser(profile);
browser.listeners.push(listen);
try {
  await visit(browser, operations);
  await browser.send("Browser.close");
} catch (error) {
  complaints.push(error.message);
  browser.process.kill();
}
await new Promise((resolve) => (browser.process.exitCode === null ? browser.process.once("exit", resolve) : resolve()));
rmSync(profile, { recursive: true, force: true });
complaints.forEach((complaint) => console.error(complaint));
console.log(`${operations} operations shown, ${requests} requests, ${complaints.length} complaints`);
process.exit(complaints.length > 0 ? 1 : 0);
