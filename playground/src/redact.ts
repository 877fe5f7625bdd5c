import { Kind, parse, print, visit, type ASTNode } from 'graphql';

const SECRET_NAME = /secret|password|token|credential|api_?key|mfa|jwk/i;
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

function redactValue(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(redactValue);
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, member]) => [
      key,
      SECRET_NAME.test(key) && typeof member === 'string' ? REMOVED : redactValue(member),
    ]);
    return Object.fromEntries(entries) as unknown;
  }
  return value;
}

/** A document without the literals of arguments that are named like a secret; null where it cannot be parsed. */
export function redactDocument(text: string): string | null {
  try {
    let changed = false;
    const redact = (node: ASTNode) => {
      if ((node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD) && SECRET_NAME.test(node.name.value)) {
        if (node.value.kind === Kind.STRING) {
          changed = true;
          return { ...node, value: { ...node.value, value: REMOVED } };
        }
      }
      return undefined;
    };
    const redacted = visit(parse(text), { enter: redact });
    // Printing loses comments, so the text stays as it is where nothing was removed.
    return changed ? print(redacted) : text;
  } catch {
    return null;
  }
}
