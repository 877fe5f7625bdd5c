import { jsonLanguage } from '@codemirror/lang-json';

type SyntaxNode = ReturnType<typeof jsonLanguage.parser.parse>['topNode'];

/** The offset of the value at this path of a JSON text; that of the deepest step which is there. */
export function jsonPosition(text: string, path: (string | number)[]): number {
  let node: SyntaxNode | null = jsonLanguage.parser.parse(text).topNode.firstChild;
  let position = node?.from ?? 0;
  for (const step of path) {
    node = node && (typeof step === 'number' ? item(node, step) : member(node, step, text));
    if (!node) {
      break;
    }
    position = node.from;
  }
  return position;
}

function member(object: SyntaxNode, name: string, text: string): SyntaxNode | null {
  for (const property of object.getChildren('Property')) {
    const key = property.getChild('PropertyName');
    if (key && JSON.parse(text.slice(key.from, key.to)) === name) {
      return property.lastChild;
    }
  }
  return null;
}

function item(array: SyntaxNode, index: number): SyntaxNode | null {
  let child = array.firstChild;
  let position = -1;
  while (child) {
    if (/^[A-Z]/.test(child.name)) {
      position += 1;
      if (position === index) {
        return child;
      }
    }
    child = child.nextSibling;
  }
  return null;
}
