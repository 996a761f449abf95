// Small changes of a JSON value, each of which may or may not break a rule.

const kOthers = [null, true, 0, 1, -1, 2.5, 9999, 10000, "", "x", "Ü😀", [], {}, [null]];

function mutateText(text, random) {
  const at = Math.floor(random() * (text.length + 1));
  const characters = ["0", "a", "A", " ", "\n", "-", "ß", "😀", "\u0000", "."];
  const inserted = characters[Math.floor(random() * characters.length)];
  return [
    text.slice(0, -1),
    text + inserted,
    text.slice(0, at) + inserted + text.slice(at),
    text.slice(0, at) + text.slice(at + 1),
    text.toUpperCase(),
    text.toLowerCase(),
    text.repeat(40),
  ];
}

function* mutateHere(value, random) {
  yield kOthers[Math.floor(random() * kOthers.length)];
  if (typeof value === "string") yield* mutateText(value, random);
  if (typeof value === "number") yield* [value + 1, value - 1, -value, value + 0.5, value * 1000];
  if (typeof value === "boolean") yield !value;
  if (Array.isArray(value)) {
    yield [];
    yield [...value, ...value];
    yield [...value, null];
  } else if (value !== null && typeof value === "object") {
    yield { ...value, unknown: 1 };
    for (const name of Object.keys(value)) {
      const rest = { ...value };
      delete rest[name];
      yield rest;
      yield { ...rest, [name.toUpperCase() + "_"]: value[name] };
    }
  }
}

// All values that differ from `value` by one change at one place; deep values get a sample of them.
export function* mutations(value, random) {
  yield* mutateHere(value, random);
  if (value === null || typeof value !== "object") return;
  for (const key of Object.keys(value)) {
    for (const changed of mutations(value[key], random)) {
      if (random() < 0.5) continue;
      const copy = Array.isArray(value) ? [...value] : { ...value };
      copy[key] = changed;
      yield copy;
    }
  }
}
