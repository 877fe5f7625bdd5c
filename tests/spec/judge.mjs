// Sends the same documents to the gateway's pipeline and to graphql-js, and reports every difference.
//
//   node judge.mjs [COUNT] [SEED]...    COUNT documents for each seed: 2000 and 1 unless given

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { TypeInfo, TypeNameMetaFieldDef, assertValidSchema, buildSchema, execute, getIntrospectionQuery, introspectionFromSchema, isInterfaceType, isIntrospectionType, isObjectType, isUnionType, parse, subscribe, validate, visit, visitWithTypeInfo } from "graphql";
import { getVariableValues } from "graphql/execution/values.js";
import { generate, randomness } from "./generate.mjs";
import { fixtureSchema } from "./resolvers.mjs";

const [count = 2000, ...seeds] = process.argv.slice(2).map(Number);
const fixture = spawn(process.env.SPEC_FIXTURE, { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: fixture.stdout })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);

const { fixture: fixtureText } = await next();
const gatewayText = readFileSync(process.env.SPEC_SCHEMA ?? new URL("schema.graphql", import.meta.url), "utf8");
const built = () => ({ fixture: fixtureSchema(fixtureText), gateway: buildSchema(gatewayText) });
const schemas = built();

// graphql-js ignores the type of `__typename` when fields merge, so that `name: __typename` (String!) would merge with
// `name` (String). Here every object and interface has it as a field, and a union has it in each of its members.
const validating = built();
Object.values(validating).forEach(addTypename);

function addTypename(schema) {
  assertValidSchema(schema);
  for (const type of Object.values(schema.getTypeMap())) {
    // Every schema shares the introspection types.
    if (isIntrospectionType(type)) continue;
    if (isObjectType(type) || isInterfaceType(type)) type.getFields().__typename = TypeNameMetaFieldDef;
  }
}

function typenameByMember(schema, document) {
  const types = new TypeInfo(schema);
  const named = (value) => ({ kind: "NamedType", name: { kind: "Name", value } });
  const fragment = (typeCondition, selections) => (
    { kind: "InlineFragment", typeCondition, directives: [], selectionSet: { kind: "SelectionSet", selections } });
  const Field = (field) => {
    const parent = types.getParentType();
    if (field.name.value !== "__typename" || !isUnionType(parent)) return undefined;
    return fragment(undefined, parent.getTypes().map(({ name }) => fragment(named(name), [field])));
  };
  return visit(document, visitWithTypeInfo(types, { Field }));
}

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
  const errors = validate(validating[name], typenameByMember(validating[name], document));
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

// Sibling resolvers of a failed field continue, even after the response.
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The position that an error makes null: its own or, for a non-null field, the nearest nullable parent. */
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

/** What two responses must share: of several errors that make the same position null, any may be reported. */
function canonical(data, paths) {
  const places = data === null ? ["null"] : paths.map((path) => nulled(data, path));
  return { data: JSON.stringify(data), places: [...new Set(places)].sort() };
}

/** Whether each field has at most one error, and every error of graphql-js is reported. */
function tells(own, judge) {
  const paths = own.map((path) => JSON.stringify(path));
  return new Set(paths).size === paths.length && judge.every((path) => paths.includes(JSON.stringify(path)));
}

function difference(own, judge) {
  if (own.refused === "panic") return "it panicked";
  // For a subscription that cannot start, graphql-js omits data; the gateway answers null and the error with its path.
  if (judge.refused === "stream") {
    const [answer, ...more] = own.responses ?? [];
    return answer?.data === "null" && answer.paths.length > 0 && more.length === 0 ? undefined : "stream";
  }
  const kind = ({ refused }) => refused ?? "taken";
  if (kind(own) !== kind(judge)) return `${kind(own)}, where graphql-js says ${kind(judge)}`;
  if (own.refused || !own.responses) return undefined;
  const a = own.responses.map(({ data, paths }) => canonical(JSON.parse(data), paths));
  const b = judge.responses.map(({ data, errors = [] }) => canonical(data, errors.map(({ path }) => path)));
  if (JSON.stringify(a) !== JSON.stringify(b)) return `answer\n  ${JSON.stringify(a)}\n  ${JSON.stringify(b)}`;
  const unlike = own.responses.findIndex(({ paths }, at) => !tells(paths, (judge.responses[at].errors ?? []).map(({ path }) => path)));
  if (unlike >= 0) return `errors\n  ${JSON.stringify(own.responses[unlike].paths)}\n  ${JSON.stringify(judge.responses[unlike].errors.map(({ path }) => path))}`;
  // graphql-js executes no later sibling once an argument of a non-null field is invalid.
  if (judge.responses.some(({ errors = [] }) => errors.some(({ message }) => /must not be null|has invalid value/.test(message)))) {
    return Object.entries(judge.calls).every(([field, times]) => own.calls[field] >= times) ? undefined : "calls are missing";
  }
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

/** An introspection result with every list in alphabetical order, since introspection guarantees none. */
function sorted(value) {
  if (Array.isArray(value)) {
    const key = (item) => item?.name ?? JSON.stringify(item);
    return value.map(sorted).sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
}

/** Adds the positions at which two values differ to `found`. */
function differing(own, judge, at, found) {
  if (own === null || judge === null || typeof own !== "object" || typeof judge !== "object") {
    if (own !== judge) found.push(`${at}: ${JSON.stringify(own)}, where graphql-js says ${JSON.stringify(judge)}`);
    return;
  }
  for (const name of new Set([...Object.keys(own), ...Object.keys(judge)])) {
    const place = `${at}.${own[name]?.name ?? judge[name]?.name ?? name}`;
    differing(own[name] ?? null, judge[name] ?? null, place, found);
  }
}

/** Compares the complete introspection result, with and without the optional parts and the deprecated elements. */
async function compareIntrospection(name) {
  const all = { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true, experimentalDirectiveDeprecation: true };
  for (const options of [all, {}]) {
    for (const full of [true, false]) {
      const written = getIntrospectionQuery(options);
      const query = full ? written : written.replaceAll("includeDeprecated: true", "includeDeprecated: false");
      const { responses, messages } = await ours(name, { query, introspection: true });
      if (!responses) throw new Error(`introspection of the ${name} is refused: ${messages}`);
      const judge = await execute({ schema: schemas[name], document: parse(query) });
      const found = [];
      differing(sorted(JSON.parse(responses[0].data)), sorted(judge.data), name, found);
      differences += found.length;
      for (const difference of found) console.log(`introspection: ${difference}`);
      const kind = `${name} introspection`;
      tally[kind] = (tally[kind] ?? 0) + 1;
    }
  }
  const { responses } = await ours(name, { query: getIntrospectionQuery(all), introspection: true });
  const found = [];
  differing(sorted(JSON.parse(responses[0].data)), sorted(introspectionFromSchema(schemas[name], all)), name, found);
  differences += found.length;
  for (const difference of found) console.log(`introspection: ${difference}`);
}

for (const name of ["fixture", "gateway"]) await compareIntrospection(name);
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
