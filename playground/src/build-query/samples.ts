import {
  astFromValue,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  Kind,
  type ConstValueNode,
  type GraphQLArgument,
  type GraphQLEnumType,
  type GraphQLInputType,
} from 'graphql';

/** Enough rows to see what they look like. */
const NUMBER = 10;

/**
 * The value of an argument that is written into the document: its default, else a first number, Boolean or enum value. Null
 * for all other types, which need a value that only the person knows.
 */
export function literalFor({ type, defaultValue }: GraphQLArgument): ConstValueNode | null {
  return defaultValue === undefined || defaultValue === null ? sampleLiteral(type) : (astFromValue(defaultValue, type) as ConstValueNode | null);
}

function sampleLiteral(type: GraphQLInputType): ConstValueNode | null {
  if (isNonNullType(type)) {
    return sampleLiteral(type.ofType);
  }
  if (isListType(type)) {
    const item = sampleLiteral(type.ofType);
    return item && { kind: Kind.LIST, values: [item] };
  }
  if (isEnumType(type)) {
    return { kind: Kind.ENUM, value: firstValue(type) };
  }
  switch (type.name) {
    case 'Boolean':
      return { kind: Kind.BOOLEAN, value: true };
    case 'Int':
    case 'Float':
      return { kind: Kind.INT, value: String(NUMBER) };
    default:
      return null;
  }
}

/** The value of a variable as JSON; texts such as `<ID>` stand where the person has to fill in something. */
export function sampleJson(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) {
    return sampleJson(type.ofType);
  }
  if (isListType(type)) {
    return [sampleJson(type.ofType)];
  }
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter(isRequiredInputField);
    return Object.fromEntries(required.map((field) => [field.name, sampleJson(field.type)]));
  }
  if (isEnumType(type)) {
    return firstValue(type);
  }
  switch (type.name) {
    case 'Boolean':
      return true;
    case 'Int':
    case 'Float':
      return NUMBER;
    default:
      return `<${type.name}>`;
  }
}

function firstValue(type: GraphQLEnumType): string {
  const values = type.getValues();
  return (values.find(({ deprecationReason }) => !deprecationReason) ?? values[0])!.name;
}
