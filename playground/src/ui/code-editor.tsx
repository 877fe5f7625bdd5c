import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { bracketMatching, foldGutter, foldKeymap } from '@codemirror/language';
import { linter, lintKeymap } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, Prec, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, keymap, lineNumbers } from '@codemirror/view';
import { graphql, updateSchema } from 'cm6-graphql';
import type { GraphQLSchema } from 'graphql';
import type { Ref } from 'preact';
import { useEffect, useImperativeHandle, useLayoutEffect, useRef } from 'preact/hooks';
import { editorTheme } from './editor-theme';

export interface CodeEditorHandle {
  focus(): void;
  /** Scrolls to this offset of the text and selects its line. */
  reveal(offset: number): void;
  text(): string;
  setText(text: string): void;
}

interface Props {
  /** Read out by screen readers, and the name that tests use. */
  label: string;
  language: 'graphql' | 'json';
  value: string;
  onChange?: (value: string) => void;
  onRun?: () => void;
  readOnly?: boolean;
  schema?: GraphQLSchema | null;
  handle?: Ref<CodeEditorHandle>;
}

/**
 * CodeMirror in a shadow root: there it adopts its style sheets through the API, which our content security policy
 * allows, instead of writing `<style>` elements, which it does not.
 */
export function CodeEditor({ label, language, value, onChange, onRun, readOnly = false, schema, handle = null }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const callbacks = useRef({ onChange, onRun });
  callbacks.current = { onChange, onRun };

  // In the render that shows the editor: its parent gives it the focus there.
  useLayoutEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const run = { key: 'Mod-Enter', run: () => (callbacks.current.onRun?.(), true) };
    const changed = EditorView.updateListener.of((update) => {
      if (update.docChanged) {
        callbacks.current.onChange?.(update.state.doc.toString());
      }
    });
    const extensions = [Prec.highest(keymap.of([run])), changed, common(label, readOnly), languageExtensions(language, readOnly)];
    const editor = new EditorView({ state: EditorState.create({ doc: value, extensions }), parent: root, root });
    view.current = editor;
    return () => editor.destroy();
  }, [label, language, readOnly]);

  // At once after rendering: later, the person may have typed on, and the older value would overwrite it.
  useLayoutEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
    }
  }, [value]);

  useEffect(() => {
    if (view.current && schema) {
      updateSchema(view.current, schema);
    }
  }, [schema]);

  useImperativeHandle(handle, () => ({
    focus: () => view.current?.focus(),
    reveal: (offset) => {
      const line = view.current!.state.doc.lineAt(offset);
      const effects = EditorView.scrollIntoView(line.from, { y: 'center' });
      view.current!.dispatch({ selection: { anchor: line.from, head: line.to }, effects });
      view.current!.focus();
    },
    text: () => view.current?.state.doc.toString() ?? '',
    setText: (text) => {
      const editor = view.current!;
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
    },
  }));

  return <div className="code-editor" ref={host} data-label={label} />;
}

function common(label: string, readOnly: boolean): Extension {
  return [
    lineNumbers(),
    foldGutter(),
    drawSelection(),
    bracketMatching(),
    highlightSelectionMatches(),
    search({ top: true }),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', spellcheck: 'false' }),
    EditorState.readOnly.of(readOnly),
    editorTheme,
    keymap.of([...searchKeymap, ...foldKeymap, ...defaultKeymap]),
  ];
}

function languageExtensions(language: Props['language'], readOnly: boolean): Extension {
  if (readOnly) {
    return json();
  }
  // Tab moves on to the next control: an editor that takes it would hold keyboard users.
  const editing = [history(), closeBrackets(), keymap.of([...closeBracketsKeymap, ...historyKeymap, ...lintKeymap])];
  const completing = [autocompletion(), keymap.of(completionKeymap)];
  const own = language === 'graphql' ? graphql() : [json(), linter(lintJson)];
  return [editing, completing, own];
}

const parseJson = jsonParseLinter();

function lintJson(view: EditorView) {
  // An empty field means no variables.
  return view.state.doc.toString().trim() === '' ? [] : parseJson(view);
}
