import { Kind, parse, print, visit, type ASTNode, type ValueNode } from 'graphql';

const SECRET_NAME = /secret|passw|passphrase|token|credential|api_?key|private_?key|mfa|totp|jwk/i;
const REMOVED = '<removed>';

/** JSON variables without the values of members that are named like a secret; empty where they cannot be parsed. */
export function redactVariables(text: string): string {
  if (text.trim() === '') {
    return '';
  }
  try {
    return JSON.stringify(redactValue(JSON.parse(text)), null, 2);
  } catch {
    return '';
  }
}

/** Below a member that is named like a secret, every text and number goes. */
function redactValue(value: unknown, isSecret = false): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => redactValue(item, isSecret));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, member]) => [
      key,
      redactValue(member, isSecret || SECRET_NAME.test(key)),
    ]);
    return Object.fromEntries(entries) as unknown;
  }
  return isSecret && (typeof value === 'string' || typeof value === 'number') ? REMOVED : value;
}

/**
 * A document without the literals of arguments, input fields and defaults of variables that are named like a secret;
 * null where it cannot be parsed.
 */
export function redactDocument(text: string): string | null {
  try {
    let changed = false;
    const remove = (node: ValueNode) => {
      changed = true;
      return { ...node, kind: Kind.STRING, value: REMOVED };
    };
    const literals = { StringValue: remove, IntValue: remove, FloatValue: remove };
    const redact = (node: ASTNode) => (isNamedLikeSecret(node) ? visit(node, literals) : undefined);
    const redacted = visit(parse(text), { enter: redact });
    // Printing loses comments, so the text stays as it is where nothing was removed.
    return changed ? print(redacted) : text;
  } catch {
    return null;
  }
}

function isNamedLikeSecret(node: ASTNode): boolean {
  if (node.kind === Kind.VARIABLE_DEFINITION) {
    return SECRET_NAME.test(node.variable.name.value);
  }
  return (node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD) && SECRET_NAME.test(node.name.value);
}
