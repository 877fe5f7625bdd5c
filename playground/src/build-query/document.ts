import {
  Kind,
  parse,
  print,
  visit,
  type ArgumentNode,
  type ASTNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
  type VariableDefinitionNode,
} from 'graphql';

/** The texts of an operation tab that the schema explorer writes. */
export interface Draft {
  query: string;
  variables: string;
}

/** A field of the schema by the names that lead to it from the root. */
export interface FieldPath {
  operation: OperationTypeNode;
  names: string[];
}

/** Variable definitions by name, while an operation is changed. */
export type Variables = Map<string, VariableDefinitionNode>;

let latest: { text: string; document: DocumentNode | null } = { text: '', document: null };

/** The document; null where it cannot be parsed. Each field on the screen asks for the same one. */
export function tryParse(text: string): DocumentNode | null {
  if (text !== latest.text) {
    latest = { text, document: parseOrNull(text) };
  }
  return latest.document;
}

function parseOrNull(text: string): DocumentNode | null {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

export function findOperation(document: DocumentNode | null, operation: OperationTypeNode) {
  return document?.definitions.find(
    (node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION && node.operation === operation,
  );
}

/** The selected field at the path, whatever its alias. */
export function findField(text: string, { operation, names }: FieldPath): FieldNode | undefined {
  let selections: readonly SelectionNode[] = findOperation(tryParse(text), operation)?.selectionSet.selections ?? [];
  let field: FieldNode | undefined;
  for (const name of names) {
    field = selections.find((node) => isField(node, name));
    selections = field?.selectionSet?.selections ?? [];
  }
  return field;
}

export function findArgument(text: string, path: FieldPath, name: string): ArgumentNode | undefined {
  return findField(text, path)?.arguments?.find((node) => node.name.value === name);
}

/** The definition of the field at the path. */
export function fieldDefinition(schema: GraphQLSchema, { operation, names }: FieldPath) {
  let parent: unknown = schema.getRootType(operation);
  let field: GraphQLField<unknown, unknown> | undefined;
  for (const name of names) {
    field = fieldsOf(parent)[name];
    parent = namedTypeOf(field);
  }
  return field;
}

type TypeWithFields = { getFields?: () => Record<string, GraphQLField<unknown, unknown>> };

export function fieldsOf(type: unknown): Record<string, GraphQLField<unknown, unknown>> {
  return (type as TypeWithFields | undefined)?.getFields?.() ?? {};
}

function namedTypeOf(field: GraphQLField<unknown, unknown> | undefined): unknown {
  let type: unknown = field?.type;
  while (typeof type === 'object' && type !== null && 'ofType' in type) {
    type = type.ofType;
  }
  return type;
}

/**
 * The document with other selections in its operation of this type, and without the variables that the operation does not
 * use; without selections, the document without the operation. A document that cannot be parsed, or that holds operations of
 * other types alone, gives way to a new one.
 */
export function replaceSelections(
  text: string,
  operation: OperationTypeNode,
  change: (selections: readonly SelectionNode[], variables: Variables) => SelectionNode[],
): string {
  const document = tryParse(text);
  const existing = findOperation(document, operation);
  const before = existing ?? emptyOperation(operation);
  const variables: Variables = new Map(before.variableDefinitions?.map((node) => [node.variable.name.value, node]));
  const selections = change(before.selectionSet.selections, variables);
  const kept = document && (existing || !document.definitions.some(isOperation)) ? document.definitions : [];
  const changed = { ...before, selectionSet: selectionSet(selections) };
  const used = usedVariables(changed, kept);
  const variableDefinitions = [...variables.values()].filter(({ variable }) => used.has(variable.name.value));
  const after = selections.length > 0 ? [{ ...changed, variableDefinitions }] : [];
  const definitions = existing ? kept.flatMap((node) => (node === existing ? after : [node])) : [...after, ...kept];
  return print({ kind: Kind.DOCUMENT, definitions });
}

/** The names of the variables in the operation and in the fragments that it reaches. */
function usedVariables(operation: OperationDefinitionNode, definitions: readonly DefinitionNode[]): Set<string> {
  const used = new Set<string>();
  const reached = new Set<string>();
  const collect = (root: ASTNode) =>
    visit(root, {
      VariableDefinition: () => false,
      Variable: ({ name }) => void used.add(name.value),
      FragmentSpread: ({ name }) => {
        const fragment = definitions.find((node) => node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === name.value);
        if (fragment && !reached.has(name.value)) {
          reached.add(name.value);
          collect(fragment);
        }
      },
    });
  collect(operation);
  return used;
}

function isOperation(node: DefinitionNode): node is OperationDefinitionNode {
  return node.kind === Kind.OPERATION_DEFINITION;
}

function emptyOperation(operation: OperationTypeNode): OperationDefinitionNode {
  const name = nameNode(`My${operation[0]!.toUpperCase()}${operation.slice(1)}`);
  return { kind: Kind.OPERATION_DEFINITION, operation, name, selectionSet: selectionSet([]) };
}

export function isField(node: SelectionNode, name: string): node is FieldNode {
  return node.kind === Kind.FIELD && node.name.value === name;
}

export function selectionSet(selections: readonly SelectionNode[]): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections };
}

export function nameNode(value: string) {
  return { kind: Kind.NAME, value } as const;
}
