// The resolvers of the fixture schema in JavaScript, equal to those of fixture.rs, so that both can be compared.

import { GraphQLScalarType, buildSchema, valueFromASTUntyped } from "graphql";

const rest = async (times) => {
  for (let n = 0; n < times; n++) await null;
};
const fail = () => {
  throw new Error("not found");
};

const dog = (number) => ({ __typename: "Dog", number });
const cat = (number) => ({ __typename: "Cat", number });
const stone = (number) => ({ __typename: "Stone", number });
const pet = (at) => (at % 2 === 0 ? dog(at) : cat(at));
const thing = (at) => [dog, cat, stone][at % 3](at);
const clamp = (value, from, to) => Math.min(Math.max(value, from), to);
const range = (length) => Array.from({ length }, (_, at) => at);
// Sorted members, as in Rust's JSON objects.
const echo = (value) => {
  if (Array.isArray(value)) return value.map(echo);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, echo(value[key])]));
};

const resolvers = {
  Query: {
    pet: async (_, { at }) => (await rest(2), at >= 0 ? pet(at % 100) : null),
    thing: (_, { at }) => (at >= 0 ? thing(at % 100) : null),
    things: (_, { first }) => range(clamp(first, 0, 5)).map(thing),
    dog: () => dog(1),
    dogs: () => [dog(4), null, dog(3)],
    old: () => null,
    echo: (_, args) => echo(args),
    choose: (_, { by }) => echo(by),
  },
  Mutation: {
    step: async (_, { by }) => (await rest(2), by),
    make: (_, { input }) => (input ? dog(input.number) : null),
    mayFail: fail,
    mustNotFail: fail,
  },
  Dog: {
    id: async (of) => (await rest(2), `dog${of.number}`),
    name: (_, { upper }) => (upper ? "REX" : "Rex"),
    fails: fail,
    must: async (of) => (await rest(1), of.number % 4 === 0 ? fail() : of.number),
    barks: (_, { times }) => range(clamp(times, 0, 5)).map((at) => (at % 2 === 0 ? at : null)),
    pup: async (of) => (await rest(3), dog(of.number + 2)),
    friends: (of, { first }) => range(clamp(first, 0, 4)).map((at) => pet(of.number + at + 1)),
  },
  Cat: {
    id: (of) => `cat${of.number}`,
    name: async (_, { upper }) => (await rest(1), upper ? "TOM" : null),
    fails: () => 1,
    prey: (of) => thing(of.number + 1),
    lives: (of) => [[dog(of.number + 3), null], []],
  },
  Stone: {
    weight: (of) => of.number + 0.5,
    thrown: (_, { at }) => at ?? null,
  },
};

// Fields without a resolver of their own in Rust.
const uncounted = new Set(["Stone.weight"]);

const events = {
  dogs: async function* (_, { to }) {
    for (const at of range(clamp(to, 0, 4))) yield { dogs: dog(at) };
  },
  maybe: async function* () {
    for (const maybe of [thing(0), null, thing(2)]) yield { maybe };
  },
};

/** Builds the schema with its resolvers, which count themselves in the context's `calls`. */
export function fixtureSchema(sdl) {
  const schema = buildSchema(sdl);
  for (const [type, fields] of Object.entries(resolvers)) {
    for (const [field, resolve] of Object.entries(fields)) {
      // Always asynchronous, as in Rust: an immediate failure does not prevent the calls of its siblings.
      schema.getType(type).getFields()[field].resolve = async (of, args, context) => {
        const name = `${type}.${field}`;
        if (!uncounted.has(name)) context.calls[name] = (context.calls[name] ?? 0) + 1;
        return resolve(of, args);
      };
    }
  }
  const subscription = schema.getSubscriptionType().getFields();
  for (const [field, subscribe] of Object.entries(events)) subscription[field].subscribe = subscribe;
  Object.assign(schema.getType("Even"), even());
  return schema;
}

function even() {
  const parseValue = (value) => {
    if (!Number.isInteger(value) || value % 2 !== 0) throw new TypeError("it is not even");
    return value;
  };
  const parseLiteral = (node, variables) => parseValue(valueFromASTUntyped(node, variables));
  const { serialize } = new GraphQLScalarType({ name: "Even" });
  return { parseValue, parseLiteral, serialize };
}
