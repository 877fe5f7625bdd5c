// Generates random documents and variables from a seed: most are valid, some are corrupted.

import { getNamedType, getNullableType, isAbstractType, isCompositeType, isEnumType, isInputObjectType, isListType, isNonNullType } from "graphql";

/** A seeded random generator (mulberry32). */
export function randomness(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (count) => Math.floor(next() * count);
  return { below, chance: (of) => next() < of, pick: (list) => list[below(list.length)] };
}

const NUMBERS = ["0", "1", "2", "3", "-1", "-0", "4", "100"];
const TEXTS = ['"x"', '""', '"\\u00e9"', '"\\u{1F600}"', '"\\ud83d\\ude00"', '"""block\n  text"""', '"😀"'];

class Maker {
  constructor(schema, random) {
    Object.assign(this, { schema, random, variables: [], fragments: [], aliases: 0, left: 40 });
  }

  document() {
    const kinds = [["query", this.schema.getQueryType()], ["mutation", this.schema.getMutationType()], ["subscription", this.schema.getSubscriptionType()]];
    const [kind, root] = this.random.chance(0.75) ? kinds[0] : this.random.pick(kinds.filter(([, type]) => type));
    this.kind = kind;
    const selected = kind === "subscription" ? this.subscription(root) : this.selection(root, 0);
    const variables = this.variables.map(({ name, type, fallback }) => `${this.description()}$${name}: ${type}${fallback ? ` = ${fallback}` : ""}`);
    const head = variables.length > 0 || kind !== "query" || this.random.chance(0.3);
    const name = head && this.random.chance(0.5) ? " Q" : "";
    const operation = head ? `${this.description()}${kind}${name}${variables.length > 0 ? `(${variables.join(", ")})` : ""} ` : "";
    const definitions = [operation + selected, ...this.fragments];
    if (this.random.chance(0.3)) definitions.reverse();
    return { query: definitions.join("\n"), variables: this.values() };
  }

  description() {
    return this.random.chance(0.05) ? `${this.random.pick(TEXTS)} ` : "";
  }

  subscription(root) {
    const field = this.field(root, this.random.pick(Object.values(root.getFields())), 0);
    if (this.random.chance(0.2)) return `{ ${field} ... { ${field} } }`;
    if (this.random.chance(0.7)) return `{ ${field} }`;
    if (this.random.chance(0.5)) return `{ ... on ${root.name} { ${field} } }`;
    const name = `F${this.fragments.length}`;
    this.fragments.push(`fragment ${name} on ${root.name} { ${field} }`);
    return `{ ...${name} }`;
  }

  selection(type, depth) {
    const parts = [];
    const count = 1 + this.random.below(depth > 3 ? 2 : 4);
    for (let n = 0; n < count; n++) parts.push(this.selectable(type, depth));
    if (this.random.chance(0.15)) parts.push(this.random.pick(parts));
    return `{ ${parts.join(" ")} }`;
  }

  selectable(type, depth) {
    this.left--;
    const { random } = this;
    if (depth < 5 && this.left > 0 && random.chance(0.25)) return this.fragment(type, depth);
    const fields = type.getFields ? Object.values(type.getFields()) : [];
    const shallow = fields.filter((field) => !isCompositeType(getNamedType(field.type)));
    const candidates = depth >= 4 || this.left <= 0 ? shallow : fields;
    const configurable = candidates.filter((field) => field.args.length > 0);
    if (this.kind !== "subscription" && configurable.length > 0 && random.chance(0.02)) return this.twice(random.pick(configurable));
    if (candidates.length === 0 || random.chance(0.1)) return `${this.alias(0.2)}__typename${this.directives()}`;
    return this.field(type, random.pick(candidates), depth);
  }

  /** One response key with two lists of arguments, which are rarely equal. */
  twice(field) {
    const key = `a${this.aliases++}`;
    const below = isCompositeType(getNamedType(field.type)) ? " { __typename }" : "";
    const one = () => `${key}: ${field.name}${this.args(field)}${below}`;
    return `${one()} ${one()}`;
  }

  args(field) {
    const args = field.args.filter((arg) => (isNonNullType(arg.type) && arg.defaultValue === undefined) || this.random.chance(0.4));
    const given = args.map((arg) => `${arg.name}: ${this.value(arg.type, 0, arg.defaultValue !== undefined)}`);
    return given.length > 0 ? `(${given.join(", ")})` : "";
  }

  fragment(type, depth) {
    const { random, schema } = this;
    const types = isAbstractType(type) ? [type, ...schema.getPossibleTypes(type)] : [type, ...(type.getInterfaces?.() ?? [])];
    const on = random.pick(types);
    if (random.chance(0.4)) {
      const name = `F${this.fragments.length}`;
      const at = this.fragments.push("") - 1;
      this.fragments[at] = `${this.description()}fragment ${name} on ${on.name} ${this.selection(on, depth + 1)}`;
      const spread = `...${name}${this.directives()}`;
      return random.chance(0.2) ? `${spread} ...${name}` : spread;
    }
    const condition = random.chance(0.8) || on !== type ? ` on ${on.name}` : "";
    return `...${condition}${this.directives()} ${this.selection(on, depth + 1)}`;
  }

  field(type, field, depth) {
    const list = this.args(field);
    const named = getNamedType(field.type);
    const below = isCompositeType(named) ? ` ${this.selection(named, depth + 1)}` : "";
    // Without an alias, fields with different arguments cannot merge.
    return `${this.alias(list === "" ? 0.15 : 0.8)}${field.name}${list}${this.kind === "subscription" && depth === 0 ? "" : this.directives()}${below}`;
  }

  alias(chance) {
    if (!this.random.chance(chance)) return "";
    return this.random.chance(0.9) ? `a${this.aliases++}: ` : `${this.random.pick(["id", "name", "x"])}: `;
  }

  directives() {
    if (!this.random.chance(0.12)) return "";
    const condition = this.random.chance(0.6) ? this.random.pick(["true", "false"]) : this.condition();
    return ` @${this.random.pick(["skip", "include"])}(if: ${condition})`;
  }

  condition() {
    if (this.random.chance(0.7)) return this.variable("Boolean!", "Boolean");
    const name = `v${this.variables.length}`;
    this.variables.push({ name, type: "Boolean", named: "Boolean", fallback: this.random.pick(["true", "false"]), isCondition: true });
    return `$${name}`;
  }

  /** A new variable, or one of the same type. */
  variable(type, named) {
    const same = this.variables.filter((known) => known.type === type);
    if (same.length > 0 && this.random.chance(0.4)) return `$${this.random.pick(same).name}`;
    const name = `v${this.variables.length}`;
    this.variables.push({ name, type, named });
    return `$${name}`;
  }

  value(type, depth, hasDefault) {
    const { random } = this;
    if (depth < 3 && random.chance(0.25)) {
      const nullable = isNonNullType(type) && hasDefault && random.chance(0.3);
      const declared = nullable ? String(getNullableType(type)) : String(type);
      const reference = this.variable(declared, type);
      const variable = this.variables.find(({ name }) => `$${name}` === reference);
      if (!isNonNullType(type) && variable.fallback === undefined && random.chance(0.2)) variable.fallback = this.literal(type, 9);
      return reference;
    }
    return this.literal(type, depth);
  }

  literal(type, depth) {
    const { random } = this;
    if (isNonNullType(type)) return this.literal(type.ofType, depth);
    if (random.chance(0.08) && depth > 0) return "null";
    if (isListType(type)) {
      if (random.chance(0.25)) return this.literal(type.ofType, depth + 1);
      return `[${Array.from({ length: random.below(3) }, () => this.value(type.ofType, depth + 1)).join(", ")}]`;
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) return this.object(type, depth);
    switch (type.name) {
      case "Int": return random.pick(NUMBERS);
      case "Float": return random.pick([...NUMBERS, "1.5", "-2.25", "1e3", "0.1"]);
      case "String": return random.pick(TEXTS);
      case "ID": return random.pick(['"x"', "5", '"dog1"', "12345678901"]);
      case "Boolean": return random.pick(["true", "false"]);
      case "Even": return random.pick(["2", "4", "0"]);
      default: return random.pick(["1", '"x"', "true", "[1, [2]]", "{ b: 1, a: [null] }", "RED"]);
    }
  }

  object(type, depth) {
    const fields = Object.values(type.getFields());
    const chosen = type.isOneOf
      ? [this.random.pick(fields)]
      : fields.filter((field) => (isNonNullType(field.type) && field.defaultValue === undefined) || (depth < 3 && this.random.chance(0.4)));
    const value = (field) => (type.isOneOf ? this.literal(field.type, 0) : this.value(field.type, depth + 1, field.defaultValue !== undefined));
    return `{ ${chosen.map((field) => `${field.name}: ${value(field)}`).join(", ")} }`;
  }

  values() {
    const values = {};
    for (const variable of this.variables) {
      const required = variable.type.endsWith("!");
      if (!required && this.random.chance(0.35)) continue;
      if (required && this.random.chance(0.03)) continue;
      values[variable.name] = this.json(variable.named, variable.type.startsWith("Boolean"), required);
      // A documented difference.
      if (variable.isCondition && values[variable.name] === null) delete values[variable.name];
    }
    return values;
  }

  json(type, isFlag, required) {
    if (isFlag) return this.random.chance(0.97) ? this.random.chance(0.5) : this.random.pick([null, 1, "true"]);
    if (!required && this.random.chance(0.1)) return null;
    return this.jsonOf(required ? type : getNullableType(type), 0);
  }

  jsonOf(type, depth) {
    const { random } = this;
    if (random.chance(0.02)) return random.pick([1, "x", true, [], {}, null, 1.5, [1], 2147483648]);
    if (isNonNullType(type)) return this.jsonOf(type.ofType, depth);
    if (depth > 0 && random.chance(0.08)) return null;
    if (isListType(type)) return random.chance(0.2) ? this.jsonOf(type.ofType, depth + 1) : Array.from({ length: random.below(3) }, () => this.jsonOf(type.ofType, depth + 1));
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      const chosen = type.isOneOf ? [random.pick(fields)] : fields.filter((field) => (isNonNullType(field.type) && field.defaultValue === undefined) || (depth < 3 && random.chance(0.4)));
      return Object.fromEntries(chosen.map((field) => [field.name, this.jsonOf(field.type, depth + 1)]));
    }
    switch (type.name) {
      case "Int": return random.pick([0, 1, 2, 3, -1, 100]);
      case "Float": return random.pick([0, 1, 1.5, -2.25, 1000]);
      case "String": return random.pick(["x", "", "é", "😀"]);
      case "ID": return random.pick(["x", 5, "dog1"]);
      case "Boolean": return random.chance(0.5);
      case "Even": return random.pick([2, 4, 0, 4, 2, 3]);
      default: return random.pick([1, "x", true, [1, [2]], { b: 1, a: [null] }]);
    }
  }
}

const TOKENS = /"""[^]*?"""|"(?:\\.|[^"\\\n])*"|\.\.\.|[A-Za-z_]\w*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\$|[^\s,]/g;

/** Corrupts a document: drops, doubles, swaps or replaces a token. */
function spoil(query, random) {
  const tokens = query.match(TOKENS);
  const at = random.below(tokens.length);
  const other = random.pick(tokens);
  const ways = [
    () => tokens.splice(at, 1),
    () => tokens.splice(at, 0, tokens[at]),
    () => (tokens[at] = other),
    () => tokens.splice(at, 0, other),
    () => (tokens[at] = random.pick(["null", "1", "x", '"t"', "on", "true", "[1]", "{}", "$v0", "@skip(if: true)", "__typename", "id", "1.0", "Int", "String!"])),
    () => tokens.push("query Other { __typename }"),
  ];
  random.pick(ways)();
  return tokens.join(" ");
}

/** Generates one case. */
export function generate(schema, random) {
  const made = new Maker(schema, random).document();
  if (random.chance(0.35)) made.query = spoil(made.query, random);
  return made;
}
