import { useLayoutEffect, useReducer, useState } from 'preact/hooks';
import { examples, type Example } from './examples';
import { redactDocument, redactVariables } from './redact';
import { useAskBeforeLeaving } from './use-ask-before-leaving';

/** An operation tab. */
export interface OperationTab {
  id: number;
  query: string;
  variables: string;
  headers: string;
  /** Which operation runs, where the document has several. */
  operationName: string | null;
}

export interface HistoryEntry {
  at: number;
  tenant: string;
  title: string;
  query: string;
  variables: string;
  failed: boolean;
  /** Whether no answer came to a mutation, which the gateway may have carried out. */
  unanswered?: boolean;
}

interface Work {
  tabs: OperationTab[];
  activeId: number;
  nextId: number;
  history: HistoryEntry[];
  /** Whether a person wrote something that only this page holds. */
  edited: boolean;
}

type Change =
  | { type: 'open'; query: string; variables: string }
  | { type: 'activate'; id: number }
  | { type: 'close'; id: number }
  | { type: 'edit'; change: Partial<Omit<OperationTab, 'id'>> }
  | { type: 'ran'; entry: HistoryEntry }
  | { type: 'clearHistory' };

const KEY = 'tenant-gateway:work';
const MAX_HISTORY = 100;

/** The tabs and the history of a session. They outlive the page only where the person asks for it, and never with secrets. */
export function useWork() {
  const [kept, setKept] = useState(() => localStorage.getItem(KEY) !== null);
  const [work, dispatch] = useReducer(reduce, undefined, () => restore() ?? initialWork());

  // At once: a person who takes the consent back must find nothing left.
  useLayoutEffect(() => {
    if (kept) {
      localStorage.setItem(KEY, JSON.stringify(withoutSecrets(work)));
    } else {
      localStorage.removeItem(KEY);
    }
  }, [kept, work]);

  useAskBeforeLeaving(work.edited && !kept);

  const active = work.tabs.find(({ id }) => id === work.activeId) ?? work.tabs[0]!;
  return { ...work, active, dispatch, kept, setKept };
}

function initialWork(): Work {
  const [first] = examples;
  const tab = emptyTab(1, first?.query ?? '', first?.variables ?? '');
  return { tabs: [tab], activeId: 1, nextId: 2, history: [], edited: false };
}

function emptyTab(id: number, query = '', variables = ''): OperationTab {
  return { id, query, variables, headers: '', operationName: null };
}

function reduce(work: Work, change: Change): Work {
  switch (change.type) {
    case 'open': {
      const same = work.tabs.find(({ query, variables }) => query === change.query && variables === change.variables);
      if (same) {
        return { ...work, activeId: same.id };
      }
      const tab = emptyTab(work.nextId, change.query, change.variables);
      return { ...work, tabs: [...work.tabs, tab], activeId: tab.id, nextId: work.nextId + 1 };
    }
    case 'activate':
      return { ...work, activeId: change.id };
    case 'close':
      return close(work, change.id);
    case 'edit': {
      const tabs = work.tabs.map((tab) => (tab.id === work.activeId ? { ...tab, ...change.change } : tab));
      return { ...work, tabs, edited: true };
    }
    case 'ran':
      return { ...work, history: [change.entry, ...work.history].slice(0, MAX_HISTORY) };
    case 'clearHistory':
      return { ...work, history: [] };
  }
}

function close(work: Work, id: number): Work {
  const index = work.tabs.findIndex((tab) => tab.id === id);
  const tabs = work.tabs.filter((tab) => tab.id !== id);
  if (tabs.length === 0) {
    return { ...work, tabs: [emptyTab(work.nextId)], activeId: work.nextId, nextId: work.nextId + 1 };
  }
  const neighbour = tabs[Math.max(0, index - 1)]!;
  return { ...work, tabs, activeId: work.activeId === id ? neighbour.id : work.activeId };
}

function withoutSecrets(work: Work): Work {
  return {
    ...work,
    tabs: work.tabs.map((tab) => ({
      ...tab,
      query: redactDocument(tab.query) ?? '',
      variables: redactVariables(tab.variables),
      headers: '',
    })),
    history: work.history.map((entry) => ({ ...entry, query: redactDocument(entry.query) ?? '' })),
  };
}

function restore(): Work | null {
  try {
    const work = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Work | null;
    return work && work.tabs.length > 0 ? work : null;
  } catch {
    return null;
  }
}

export function exampleChange({ query, variables }: Example): Change {
  return { type: 'open', query, variables };
}

export type { Change };
