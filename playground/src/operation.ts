import { Kind, parse, type OperationDefinitionNode } from 'graphql';

/** The operations of a document; none while it cannot be parsed. */
export function operationsOf(document: string): OperationDefinitionNode[] {
  try {
    return parse(document).definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  } catch {
    return [];
  }
}

/** The operation that runs: the one of this name, else the first. */
export function selectOperation(document: string, name: string | null): OperationDefinitionNode | undefined {
  const operations = operationsOf(document);
  return operations.find((operation) => operation.name?.value === name) ?? operations[0];
}

export function operationTitle(document: string): string {
  return operationsOf(document)[0]?.name?.value ?? 'Untitled';
}

/** Values such as `<id of a task>` in the variables, by the path to them. */
export function placeholdersIn(variables: unknown, path: string[] = []): { path: string; hint: string }[] {
  if (typeof variables === 'string') {
    const hint = /^<(.+)>$/.exec(variables)?.[1];
    return hint === undefined ? [] : [{ path: path.join('.'), hint }];
  }
  if (typeof variables === 'object' && variables !== null) {
    return Object.entries(variables).flatMap(([key, value]) => placeholdersIn(value, [...path, key]));
  }
  return [];
}

export class InvalidJson extends Error {}

/** The JSON object that a person typed; empty text means no members. */
export function parseObject(text: string, what: string): Record<string, unknown> {
  if (text.trim() === '') {
    return {};
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidJson(`${what} cannot be parsed: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidJson(`${what} must be a JSON object.`);
  }
  return value as Record<string, unknown>;
}
