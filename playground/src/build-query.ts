import {
  getNamedType,
  isCompositeType,
  isLeafType,
  isRequiredArgument,
  Kind,
  parse,
  print,
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
  type VariableDefinitionNode,
  parseType,
} from 'graphql';

/** A field of the schema by the names that lead to it from the root. */
export interface FieldPath {
  operation: OperationTypeNode;
  names: string[];
}

/** Whether the document's operation of this type selects the field, whatever its alias. */
export function isSelected(document: string, { operation, names }: FieldPath): boolean {
  let selections: readonly SelectionNode[] | undefined = find(tryParse(document), operation)?.selectionSet.selections;
  for (const name of names) {
    const field: FieldNode | undefined = selections?.find((node) => isField(node, name)) as FieldNode | undefined;
    if (!field) {
      return false;
    }
    selections = field.selectionSet?.selections ?? [];
  }
  return true;
}

/**
 * The document with the field added to its operation of this type, or taken away if it was there. Required arguments
 * become variables; an object gets its `id`, or its first leaf, so that the result is valid. A document that cannot
 * be parsed, or that holds operations of other types alone, gives way to a new one.
 */
export function toggleField(schema: GraphQLSchema, document: string, path: FieldPath): string {
  const parsed = tryParse(document);
  const existing = find(parsed, path.operation);
  const operation = existing ?? emptyOperation(path.operation);
  const variables = new Map(operation.variableDefinitions?.map((node) => [node.variable.name.value, node]));
  const remove = existing !== undefined && isSelected(document, path);
  const root = schema.getRootType(path.operation);
  const selections = remove
    ? without(operation.selectionSet.selections, path.names)
    : withField(operation.selectionSet.selections, path.names, root ?? undefined, variables);
  if (selections.length === 0) {
    return '';
  }
  const changed: OperationDefinitionNode = {
    ...operation,
    variableDefinitions: usedVariables(variables, selections),
    selectionSet: selectionSet(selections),
  };
  const others = existing ? parsed!.definitions : [];
  const definitions = existing ? others.map((node) => (node === existing ? changed : node)) : [changed];
  return print({ kind: Kind.DOCUMENT, definitions });
}

type ParentType = { getFields?: () => Record<string, GraphQLField<unknown, unknown>> };

function withField(
  selections: readonly SelectionNode[],
  [name, ...rest]: string[],
  parent: unknown,
  variables: Map<string, VariableDefinitionNode>,
): SelectionNode[] {
  const definition = (parent as ParentType | undefined)?.getFields?.()[name!];
  if (!definition) {
    return [...selections];
  }
  const index = selections.findIndex((node) => isField(node, name!));
  const field = (selections[index] as FieldNode | undefined) ?? newField(definition, variables);
  const type = getNamedType(definition.type);
  const below = field.selectionSet?.selections ?? [];
  const selected = rest.length ? withField(below, rest, type, variables) : below.length ? [...below] : firstLeaf(type);
  const changed = selected.length ? { ...field, selectionSet: selectionSet(selected) } : field;
  return index < 0 ? [...selections, changed] : selections.map((node, position) => (position === index ? changed : node));
}

function without(selections: readonly SelectionNode[], [name, ...rest]: string[]): SelectionNode[] {
  return selections.flatMap((node): SelectionNode[] => {
    if (!isField(node, name!)) {
      return [node];
    }
    const left = rest.length ? without(node.selectionSet?.selections ?? [], rest) : [];
    return left.length ? [{ ...node, selectionSet: selectionSet(left) }] : [];
  });
}

function newField(
  definition: GraphQLField<unknown, unknown>,
  variables: Map<string, VariableDefinitionNode>,
): FieldNode {
  const args = definition.args.filter(isRequiredArgument).map((argument): ArgumentNode => {
    const name = freeName(argument.name, String(argument.type), variables);
    const variable = { kind: Kind.VARIABLE, name: nameNode(name) } as const;
    variables.set(name, { kind: Kind.VARIABLE_DEFINITION, variable, type: parseType(String(argument.type)) });
    return { kind: Kind.ARGUMENT, name: nameNode(argument.name), value: variable };
  });
  return { kind: Kind.FIELD, name: nameNode(definition.name), arguments: args };
}

/** `id`, or `id2` and so on where another variable of that name has another type. */
function freeName(name: string, type: string, variables: Map<string, VariableDefinitionNode>): string {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}${number}`;
    const taken = variables.get(candidate);
    if (!taken || print(taken.type) === type) {
      return candidate;
    }
  }
}

function firstLeaf(type: ReturnType<typeof getNamedType>): SelectionNode[] {
  if (!isCompositeType(type)) {
    return [];
  }
  const fields = 'getFields' in type ? Object.values(type.getFields()) : [];
  const leaves = fields.filter((field) => isLeafType(getNamedType(field.type)) && !field.args.some(isRequiredArgument));
  const leaf = leaves.find(({ name }) => name === 'id') ?? leaves[0];
  return [{ kind: Kind.FIELD, name: nameNode(leaf?.name ?? '__typename') }];
}

function usedVariables(
  variables: Map<string, VariableDefinitionNode>,
  selections: readonly SelectionNode[],
): VariableDefinitionNode[] {
  const used = new Set(print(selectionSet(selections)).match(/\$\w+/g));
  return [...variables.values()].filter(({ variable }) => used.has(`$${variable.name.value}`));
}

function tryParse(document: string): DocumentNode | null {
  try {
    return parse(document);
  } catch {
    return null;
  }
}

function find(document: DocumentNode | null, operation: OperationTypeNode): OperationDefinitionNode | undefined {
  return document?.definitions.find(
    (node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION && node.operation === operation,
  );
}

function emptyOperation(operation: OperationTypeNode): OperationDefinitionNode {
  const name = nameNode(`My${operation[0]!.toUpperCase()}${operation.slice(1)}`);
  return { kind: Kind.OPERATION_DEFINITION, operation, name, selectionSet: selectionSet([]) };
}

function isField(node: SelectionNode, name: string): node is FieldNode {
  return node.kind === Kind.FIELD && node.name.value === name;
}

function selectionSet(selections: readonly SelectionNode[]): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections };
}

function nameNode(value: string) {
  return { kind: Kind.NAME, value } as const;
}
