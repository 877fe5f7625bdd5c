import {
  getNamedType,
  isCompositeType,
  isLeafType,
  isRequiredArgument,
  Kind,
  parseType,
  type ArgumentNode,
  type FieldNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLSchema,
  type SelectionNode,
} from 'graphql';
import {
  fieldsOf,
  findField,
  isField,
  nameNode,
  replaceSelections,
  selectionSet,
  type Draft,
  type FieldPath,
  type Variables,
} from './document';
import { withVariables } from './variables';

/** Whether the document's operation of this type selects the field. */
export function isSelected(document: string, path: FieldPath): boolean {
  return findField(document, path) !== undefined;
}

/**
 * The draft with the field added to its operation of this type, or taken away if it was there. Required arguments become
 * variables; an object gets its `id`, or its first leaf, so that the result is valid.
 */
export function toggleField(schema: GraphQLSchema, draft: Draft, path: FieldPath): Draft {
  const remove = isSelected(draft.query, path);
  const query = replaceSelections(draft.query, path.operation, (selections, variables) =>
    remove ? without(selections, path.names) : withField(schema, selections, path, variables),
  );
  return withVariables(schema, draft, query);
}

/** The selections with the field at the path, and with those above it. */
export function withField(
  schema: GraphQLSchema,
  selections: readonly SelectionNode[],
  { operation, names }: FieldPath,
  variables: Variables,
): SelectionNode[] {
  return withFieldBelow(selections, names, schema.getRootType(operation), variables);
}

function withFieldBelow(
  selections: readonly SelectionNode[],
  [name, ...rest]: string[],
  parent: unknown,
  variables: Variables,
): SelectionNode[] {
  const definition = fieldsOf(parent)[name!];
  if (!definition) {
    return [...selections];
  }
  const index = selections.findIndex((node) => isField(node, name!));
  const field = (selections[index] as FieldNode | undefined) ?? newField(definition, variables);
  const type = getNamedType(definition.type);
  const below = field.selectionSet?.selections ?? [];
  const unchanged = below.length ? [...below] : firstLeaf(type);
  const selected = rest.length ? withFieldBelow(below, rest, type, variables) : unchanged;
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

function newField(definition: GraphQLField<unknown, unknown>, variables: Variables): FieldNode {
  const args = definition.args.filter(isRequiredArgument).map((argument) => variableArgument(argument, variables));
  return { kind: Kind.FIELD, name: nameNode(definition.name), arguments: args };
}

/** The argument with a variable of its own, named like it: two fields with an `id` seldom mean the same one. */
export function variableArgument(argument: GraphQLArgument, variables: Variables): ArgumentNode {
  let name = argument.name;
  for (let number = 2; variables.has(name); number += 1) {
    name = `${argument.name}${number}`;
  }
  const variable = { kind: Kind.VARIABLE, name: nameNode(name) } as const;
  variables.set(name, { kind: Kind.VARIABLE_DEFINITION, variable, type: parseType(String(argument.type)) });
  return { kind: Kind.ARGUMENT, name: nameNode(argument.name), value: variable };
}

function firstLeaf(type: ReturnType<typeof getNamedType>): SelectionNode[] {
  if (!isCompositeType(type)) {
    return [];
  }
  const fields = Object.values(fieldsOf(type));
  const leaves = fields.filter((field) => isLeafType(getNamedType(field.type)) && !field.args.some(isRequiredArgument));
  const leaf = leaves.find(({ name }) => name === 'id') ?? leaves[0];
  return [{ kind: Kind.FIELD, name: nameNode(leaf?.name ?? '__typename') }];
}
