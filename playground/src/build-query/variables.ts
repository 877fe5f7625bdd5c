import {
  getNamedType,
  isInputObjectType,
  Kind,
  typeFromAST,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  type VariableDefinitionNode,
} from 'graphql';
import { findArgument, tryParse, type Draft, type FieldPath } from './document';
import { sampleJson } from './samples';

type Json = Record<string, unknown>;

/**
 * The draft with its new document: variables that it adds get a value to fill in, and those that it drops lose theirs, unless
 * the person has changed it. Variables that cannot be parsed stay as they are.
 */
export function withVariables(schema: GraphQLSchema, draft: Draft, query: string): Draft {
  const values = parseVariables(draft.variables);
  if (!values) {
    return { ...draft, query };
  }
  const before = definitionsOf(draft.query);
  const after = definitionsOf(query);
  const dropped = [...before].filter(([name, definition]) => !after.has(name) && isSample(schema, definition, values[name]));
  const added = [...after].filter(([name]) => !before.has(name) && !(name in values));
  if (dropped.length + added.length === 0) {
    return { ...draft, query };
  }
  const kept = Object.entries(values).filter(([name]) => !dropped.some(([other]) => other === name));
  const samples = added.map(([name, definition]) => [name, sampleOf(schema, definition)] as const);
  return { query, variables: variablesText(Object.fromEntries([...kept, ...samples])) };
}

/** The object at these names below an argument, which has to be a variable. */
export interface InputPath {
  field: FieldPath;
  argument: string;
  names: string[];
}

/** The input object type of an argument, or of a field of one; null for other types. */
export function inputObjectOf(type: GraphQLInputType): GraphQLInputObjectType | null {
  const named = getNamedType(type);
  return isInputObjectType(named) ? named : null;
}

/** Whether the variables contain the field of an input object; null where they have no such object. */
export function isInputGiven(draft: Draft, path: InputPath): boolean | null {
  const found = locate(draft, path);
  return found ? found.name in found.parent : null;
}

/** The draft with a sample value for the field of an input object, or without the field if it was there. */
export function toggleInput(draft: Draft, path: InputPath, type: GraphQLInputType): Draft {
  const found = locate(draft, path);
  if (!found) {
    return draft;
  }
  const { values, parent, name } = found;
  if (name in parent) {
    delete parent[name];
  } else {
    parent[name] = sampleJson(type);
  }
  return { ...draft, variables: variablesText(values) };
}

function locate({ query, variables }: Draft, { field, argument, names }: InputPath) {
  const value = findArgument(query, field, argument)?.value;
  const values = parseVariables(variables);
  if (value?.kind !== Kind.VARIABLE || !values) {
    return null;
  }
  const name = names.at(-1)!;
  let parent: unknown = values;
  for (const step of [value.name.value, ...names.slice(0, -1)]) {
    parent = firstOf((parent as Json)[step]);
    if (typeof parent !== 'object' || parent === null) {
      return null;
    }
  }
  return { values, parent: parent as Json, name };
}

/** Of a list, its first item. */
function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? firstOf(value[0]) : value;
}

function definitionsOf(query: string): Map<string, VariableDefinitionNode> {
  const definitions = tryParse(query)?.definitions ?? [];
  const variables = definitions.flatMap((node) =>
    node.kind === Kind.OPERATION_DEFINITION ? (node.variableDefinitions ?? []) : [],
  );
  return new Map(variables.map((node) => [node.variable.name.value, node]));
}

function sampleOf(schema: GraphQLSchema, { type }: VariableDefinitionNode): unknown {
  // The overloads of `typeFromAST` have none for a node of unknown kind.
  const known = typeFromAST(schema, type as Parameters<typeof typeFromAST>[1]) as GraphQLInputType | undefined;
  return known ? sampleJson(known) : null;
}

function isSample(schema: GraphQLSchema, definition: VariableDefinitionNode, value: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(sampleOf(schema, definition));
}

function parseVariables(text: string): Json | null {
  if (text.trim() === '') {
    return {};
  }
  try {
    const values: unknown = JSON.parse(text);
    return typeof values === 'object' && values !== null && !Array.isArray(values) ? (values as Json) : null;
  } catch {
    return null;
  }
}

function variablesText(values: Json): string {
  return Object.keys(values).length ? JSON.stringify(values, null, 2) : '';
}
