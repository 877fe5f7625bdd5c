import { Kind, type ArgumentNode, type FieldNode, type GraphQLSchema, type SelectionNode } from 'graphql';
import {
  fieldDefinition,
  findArgument,
  isField,
  nameNode,
  replaceSelections,
  selectionSet,
  type Draft,
  type FieldPath,
  type Variables,
} from './document';
import { variableArgument, withField } from './fields';
import { literalFor } from './samples';
import { withVariables } from './variables';

/** Whether the operation gives the argument to the field. */
export function isGiven(document: string, path: FieldPath, argument: string): boolean {
  return findArgument(document, path, argument) !== undefined;
}

/**
 * The draft with the argument added, together with its field where that is missing, or taken away if it was there. Numbers,
 * Booleans and enum values are written into the document, where they can be changed in place; everything else becomes a
 * variable.
 */
export function toggleArgument(schema: GraphQLSchema, draft: Draft, path: FieldPath, argument: string): Draft {
  const remove = isGiven(draft.query, path, argument);
  const query = replaceSelections(draft.query, path.operation, (selections, variables) => {
    const selected = withField(schema, selections, path, variables);
    const change = remove
      ? (given: ArgumentNode[]) => given.filter(({ name }) => name.value !== argument)
      : (given: ArgumentNode[]) => withArgument(schema, path, argument, given, variables);
    return changeArguments(selected, path.names, change);
  });
  return withVariables(schema, draft, query);
}

function withArgument(
  schema: GraphQLSchema,
  path: FieldPath,
  name: string,
  given: ArgumentNode[],
  variables: Variables,
): ArgumentNode[] {
  const definition = fieldDefinition(schema, path)?.args.find((argument) => argument.name === name);
  // A required one came with the field.
  if (!definition || given.some((argument) => argument.name.value === name)) {
    return given;
  }
  const literal = literalFor(definition);
  const added: ArgumentNode = literal
    ? { kind: Kind.ARGUMENT, name: nameNode(name), value: literal }
    : variableArgument(definition, variables);
  return [...given, added];
}

function changeArguments(
  selections: readonly SelectionNode[],
  [name, ...rest]: string[],
  change: (given: ArgumentNode[]) => ArgumentNode[],
): SelectionNode[] {
  const position = selections.findIndex((node) => isField(node, name!));
  return selections.map((node, index) => {
    if (index !== position) {
      return node;
    }
    const field = node as FieldNode;
    if (rest.length === 0) {
      return { ...field, arguments: change([...(field.arguments ?? [])]) };
    }
    return { ...field, selectionSet: selectionSet(changeArguments(field.selectionSet?.selections ?? [], rest, change)) };
  });
}
