import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const text = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: '14px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--text)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--selection) !important' },
  '.cm-gutters': { color: 'var(--muted)', backgroundColor: 'var(--surface)', border: 'none' },
  '.cm-matchingBracket': { outline: '1px solid var(--accent)', backgroundColor: 'transparent !important' },
  '.cm-nonmatchingBracket': { outline: '1px solid var(--problem)', backgroundColor: 'transparent !important' },
  '.cm-specialChar': { color: 'var(--problem)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--hover)' },
  '.cm-searchMatch': { backgroundColor: 'var(--changes-ground)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--changes-ground)', outline: '2px solid var(--changes)' },
  '.cm-foldPlaceholder': { color: 'var(--muted)', backgroundColor: 'var(--hover)', border: 'none', padding: '0 6px' },
  '.cm-snippetField': { backgroundColor: 'var(--hover)' },
  '.cm-snippetFieldPosition': { borderLeftColor: 'var(--muted)' },
});

/** Panels and lists of CodeMirror, whose own colours are those of a light page. */
const panels = EditorView.theme({
  '.cm-tooltip, .cm-panels': { color: 'var(--text)', backgroundColor: 'var(--surface)', border: '1px solid var(--edge)' },
  '.cm-panels-top': { borderBottomColor: 'var(--edge)' },
  '.cm-tooltip-section:not(:first-child)': { borderTopColor: 'var(--edge)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { color: 'var(--on-accent)', backgroundColor: 'var(--accent)' },
  '.cm-tooltip-autocomplete-disabled ul li[aria-selected]': { color: 'var(--text)', backgroundColor: 'var(--hover)' },
  '.cm-completionDetail': { color: 'inherit' },
  '.cm-button, .cm-button:active': { backgroundImage: 'none', backgroundColor: 'var(--surface)', borderColor: 'var(--field-edge)' },
  '.cm-button:hover': { backgroundColor: 'var(--hover)' },
  '.cm-textfield': { color: 'var(--text)', backgroundColor: 'var(--surface)', borderColor: 'var(--field-edge)' },
  '.cm-textfield::placeholder': { color: 'var(--muted)', opacity: '1' },
  '.cm-panel *:focus-visible': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-panel.cm-search input[type=checkbox]': { color: 'var(--text)', accentColor: 'var(--accent)' },
  '.cm-panel button[name=close]': { color: 'var(--text)' },
});

const problems = EditorView.theme({
  '.cm-lintRange-error, .cm-lintRange-warning, .cm-lintRange-info, .cm-lintRange-hint': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--problem)',
    textUnderlineOffset: '3px',
  },
  '.cm-lintRange-warning, .cm-lintRange-info, .cm-lintRange-hint': { textDecorationColor: 'var(--changes)' },
  '.cm-lintRange-active': { backgroundColor: 'var(--hover)' },
  '.cm-lintPoint:after': { borderBottomColor: 'var(--problem) !important' },
  '.cm-diagnostic': { borderLeftColor: 'var(--changes) !important' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--problem) !important' },
  '.cm-diagnosticAction': { color: 'var(--on-accent)', backgroundColor: 'var(--accent)' },
  '.cm-panel.cm-panel-lint ul [aria-selected]': { color: 'var(--text)', backgroundColor: 'var(--hover) !important' },
});

const highlighting = HighlightStyle.define([
  { tag: [tags.keyword, tags.definitionKeyword, tags.operatorKeyword, tags.atom], color: 'var(--syntax-keyword)' },
  { tag: [tags.propertyName, tags.attributeName], color: 'var(--syntax-property)' },
  { tag: [tags.typeName, tags.className], color: 'var(--syntax-type)' },
  { tag: [tags.variableName, tags.special(tags.variableName)], color: 'var(--syntax-variable)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--syntax-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--syntax-number)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--muted)', fontStyle: 'italic' },
]);

/** The look of the editors: all colours are those of docs/design.md, in light and dark. */
export const editorTheme: Extension = [text, panels, problems, syntaxHighlighting(highlighting)];
