// Asks the gateway's pipeline and graphql-js the same, and tells where they differ.
//
//   node judge.mjs [COUNT] [SEED]...    COUNT documents for each seed: 2000 and 1 unless given

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { buildSchema, execute, parse, subscribe, validate } from "graphql";
import { getVariableValues } from "graphql/execution/values.js";
import { generate, randomness } from "./generate.mjs";
import { fixtureSchema } from "./resolvers.mjs";

const [count = 2000, ...seeds] = process.argv.slice(2).map(Number);
const fixture = spawn(process.env.SPEC_FIXTURE, { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: fixture.stdout })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);

const schemas = {
  fixture: fixtureSchema((await next()).fixture),
  gateway: buildSchema(readFileSync(process.env.SPEC_SCHEMA ?? new URL("schema.graphql", import.meta.url), "utf8")),
};

async function ours(schema, asked) {
  fixture.stdin.write(`${JSON.stringify({ schema, ...asked })}\n`);
  return next();
}

async function theirs(name, { query, variables }) {
  const schema = schemas[name];
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return { refused: "syntax", messages: [error.message] };
  }
  const errors = validate(schema, document);
  if (errors.length > 0) return { refused: "invalid", messages: errors.map(({ message }) => message) };
  const operations = document.definitions.filter(({ kind }) => kind === "OperationDefinition");
  if (operations.length !== 1) return { refused: "operation" };
  const coerced = getVariableValues(schema, operations[0].variableDefinitions ?? [], variables);
  if (coerced.errors) return { refused: "variables", messages: coerced.errors.map(({ message }) => message) };
  if (name === "gateway") return {};
  const context = { calls: {} };
  const args = { schema, document, variableValues: variables, contextValue: context };
  const responses = [];
  if (operations[0].operation === "subscription") {
    const stream = await subscribe(args);
    if (!stream[Symbol.asyncIterator]) return { refused: "stream", messages: stream.errors.map(({ message }) => message) };
    for await (const response of stream) responses.push(response);
  } else {
    responses.push(await execute(args));
    await settled();
  }
  if (responses.some(({ errors }) => errors?.some(({ path }) => path === undefined))) return { refused: "variables" };
  return { responses, calls: context.calls };
}

// Resolvers beside a field that has failed go on, also after the answer.
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The place that an error makes null: its own or, where that may not be null, the nearest around it that may. */
function nulled(data, path) {
  let at = data;
  const place = [];
  for (const step of path) {
    place.push(step);
    at = at?.[step];
    if (at === null || at === undefined) return JSON.stringify(place);
  }
  return JSON.stringify(place);
}

/** What two answers must have in common: of several errors that make the same place null, either may be told. */
function canonical(data, paths) {
  const places = data === null ? ["null"] : paths.map((path) => nulled(data, path));
  return { data: JSON.stringify(data), places: [...new Set(places)].sort() };
}

/** The refusals of both are compared by kind: a document that is no GraphQL, or not valid, is refused by both. */
function difference(own, judge) {
  if (own.refused === "panic") return "it panicked";
  // graphql-js answers a subscription that cannot begin without data, we with null and the error at its path.
  if (judge.refused === "stream") return own.responses?.every(({ data, paths }) => data === "null" && paths.length > 0) ? undefined : "stream";
  const kind = ({ refused }) => (refused === "syntax" ? "invalid" : refused ?? "taken");
  if (kind(own) !== kind(judge)) return `${kind(own)}, where graphql-js says ${kind(judge)}`;
  if (own.refused || !own.responses) return undefined;
  const a = own.responses.map(({ data, paths }) => canonical(JSON.parse(data), paths));
  const b = judge.responses.map(({ data, errors = [] }) => canonical(data, errors.map(({ path }) => path)));
  if (JSON.stringify(a) !== JSON.stringify(b)) return `answer\n  ${JSON.stringify(a)}\n  ${JSON.stringify(b)}`;
  // graphql-js asks no later sibling once an argument of a field that may not be null does not fit.
  if (judge.responses.some(({ errors = [] }) => errors.some(({ message }) => /must not be null|has invalid value/.test(message)))) return undefined;
  const calls = (of) => JSON.stringify(Object.entries(of).sort());
  if (calls(own.calls) !== calls(judge.calls)) return `calls\n  ${calls(own.calls)}\n  ${calls(judge.calls)}`;
  return undefined;
}

const tally = {};
let differences = 0;

async function compare(name, asked, label) {
  const [own, judge] = await Promise.all([ours(name, asked), theirs(name, asked)]);
  const found = difference(own, judge);
  const kind = judge.refused ?? "taken";
  tally[`${name} ${kind}`] = (tally[`${name} ${kind}`] ?? 0) + 1;
  if (found === undefined) return;
  differences++;
  console.log(`${label}: ${found}`);
  console.log(`  ${asked.query.replaceAll("\n", "\n  ")}\n  variables ${JSON.stringify(asked.variables)}`);
  console.log(`  ours: ${own.messages ?? ""}\n  graphql-js: ${judge.messages ?? ""}`);
}

const cases = JSON.parse(readFileSync(new URL("cases.json", import.meta.url), "utf8"));
for (const { name, schema, query, variables = {} } of cases) await compare(schema, { query, variables }, `case "${name}"`);
for (const seed of seeds.length > 0 ? seeds : [1]) {
  const random = randomness(seed);
  for (let n = 0; n < count; n++) {
    const name = random.chance(0.6) ? "fixture" : "gateway";
    await compare(name, generate(schemas[name], random), `seed ${seed}, document ${n} of the ${name}`);
  }
}
fixture.stdin.end();
for (const [kind, times] of Object.entries(tally).sort()) console.log(`${String(times).padStart(6)} ${kind}`);
console.log(`${differences} differences`);
process.exitCode = differences === 0 ? 0 : 1;
