// Compares the gateway's own schema validator with ajv: for every schema of the document, instances
// are generated from the schema, mutated, and judged by both. Any difference fails.
// Usage: node schema_differential.mjs <schema_check program> [instances per schema]
import { spawnSync } from "node:child_process";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { mutations } from "./mutations.mjs";
import { Sampler } from "./sampler.mjs";

const [program, perSchema = "40"] = process.argv.slice(2);
if (!program) {
  console.error("usage: node schema_differential.mjs <schema_check program> [instances]");
  process.exit(2);
}

function run(command, input) {
  const result = spawnSync(program, [command], { input, maxBuffer: 1 << 30, encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${command}: ${result.stderr}`);
  return result.stdout;
}

// The formats as the gateway defines them, on top of ajv's own checks of the calendar: no leap second,
// upper-case T and Z, at most nine decimals; a UUID without a prefix.
function makeAjv(document) {
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true });
  addFormats(ajv, { mode: "full" });
  const base = ajv.formats["date-time"].validate;
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
  ajv.addFormat("date-time", { type: "string", validate: (text) => form.test(text) && base(text) });
  ajv.addFormat("uuid", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
  ajv.addSchema({ $id: "document", components: document.components });
  return ajv;
}

const document = JSON.parse(run("json"));
const ajv = makeAjv(document);
const sampler = new Sampler(document, 20260612);
const cases = [];
for (const name of Object.keys(document.components.schemas)) {
  const pointer = `#/components/schemas/${name}`;
  for (let i = 0; i < Number(perSchema); ++i) {
    const value = sampler.sample(document.components.schemas[name]);
    cases.push({ schema: pointer, value });
    for (const mutant of mutations(value, sampler.random)) cases.push({ schema: pointer, value: mutant });
  }
}

const answers = run("verdicts", cases.map((entry) => JSON.stringify(entry)).join("\n") + "\n")
  .trimEnd()
  .split("\n");
const validators = new Map();
for (const { schema } of cases) {
  if (!validators.has(schema)) validators.set(schema, ajv.compile({ $ref: `document${schema}` }));
}
let valid = 0;
let differences = 0;
cases.forEach((entry, index) => {
  const expected = validators.get(entry.schema)(entry.value);
  if (expected) ++valid;
  if (answers[index] === (expected ? "valid" : "invalid")) return;
  if (++differences <= 20) {
    console.error(`ajv says ${expected ? "valid" : "invalid"}, the gateway ${answers[index]}:`,
                  JSON.stringify(entry));
  }
});
console.log(`${cases.length} cases, ${valid} of them valid, ${differences} differences`);
const thin = valid < cases.length / 20 || valid > (cases.length * 19) / 20;
if (differences > 0 || thin) process.exit(1);
