// Draws instances that fit a schema of the document's subset; the same seed draws the same ones.

const kTexts = [
  "000250", "10:30", "MAIN_SITE", "main", "2026-11", "1.0.0", "de-ni-xauslaender", "e-4711", "111207",
  "0f".repeat(32), "0f".repeat(16), "application/json", "/problems/not-found", "DetailsNone", "MTc",
  "urn:example:list 1", "{}", "c2sp.org/tlog-proof@v1\nindex 0\n", "flora.example/test+1a2b3c4d+AfJ5",
];

function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export class Sampler {
  constructor(document, seed) {
    this.document = document;
    this.random = generator(seed);
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  resolve(schema) {
    if (!schema.$ref) return schema;
    const name = schema.$ref.split("/").pop();
    return this.resolve(this.document.components.schemas[name]);
  }

  sample(unresolved) {
    const schema = this.resolve(unresolved);
    if ("const" in schema) return schema.const;
    if (schema.enum) return this.pick(schema.enum);
    const type = Array.isArray(schema.type) ? this.pick(schema.type) : schema.type;
    if (type === "object") return this.object(schema);
    const branches = schema.oneOf ?? schema.anyOf;
    if (branches) return this.sample(this.pick(branches));
    if (type === "array") return this.array(schema);
    if (type === "string") return this.text(schema);
    if (type === "integer") return this.integer(schema);
    if (type === "boolean") return this.random() < 0.5;
    return null;
  }

  // The choices beside `properties` in this document only say which members must be there.
  object(schema) {
    const properties = schema.properties ?? {};
    const choice = schema.oneOf ? this.pick(schema.oneOf).required : [];
    const excluded = (schema.oneOf ?? []).flatMap((branch) => branch.required);
    const required = new Set([...(schema.required ?? []), ...choice]);
    const value = {};
    for (const [name, property] of Object.entries(properties)) {
      const optional = !excluded.includes(name) && this.random() < 0.5;
      if (required.has(name) || optional) value[name] = this.sample(property);
    }
    return value;
  }

  array(schema) {
    const least = schema.minItems ?? 0;
    const count = least + Math.floor(this.random() * Math.min(3, (schema.maxItems ?? 3) - least + 1));
    return Array.from({ length: count }, () => this.sample(schema.items));
  }

  integer(schema) {
    const low = schema.minimum ?? 0;
    const high = Math.min(schema.maximum ?? 100, Number.MAX_SAFE_INTEGER);
    if (this.random() < 0.2) return low;
    if (this.random() < 0.2) return high;
    return low + Math.floor(this.random() * (high - low));
  }

  text(schema) {
    if (schema.format === "date") return this.pick(["2026-11-02", "2024-02-29", "1999-12-31"]);
    if (schema.format === "date-time") {
      return this.pick(["2026-11-03T08:15:30.123Z", "2026-11-03T09:15:30+01:00", "2024-02-29T23:59:59Z"]);
    }
    if (schema.format === "uuid") return "019a4f5e-7c2b-7a31-8f00-1d2c3b4a5968";
    const pattern = new RegExp(schema.pattern ?? "", "u");
    const fitting = kTexts.filter((text) => pattern.test(text) && text.length <= (schema.maxLength ?? 1e9));
    return fitting.length > 0 ? this.pick(fitting) : "";
  }
}
