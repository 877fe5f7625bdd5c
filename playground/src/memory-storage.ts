const TABS = 'graphiql:tabState';

/** Where GraphiQL keeps tabs, variables and history: nowhere but in memory, since what people type may be secret. */
export function memoryStorage() {
  const kept = new Map<string, string>();

  // GraphiQL opens another tab when the texts that it keeps beside the tabs are not exactly those of the active one, and
  // it keeps them only once they are edited.
  function ofActiveTab(field: 'query' | 'variables'): string | null {
    const { tabs, activeTabIndex } = JSON.parse(kept.get(TABS) ?? '{}') as {
      tabs?: { query: string | null; variables: string | null }[];
      activeTabIndex?: number;
    };
    return tabs?.[activeTabIndex ?? 0]?.[field] ?? null;
  }

  return {
    getItem(key: string) {
      const field = key.replace('graphiql:', '');
      return (field === 'query' || field === 'variables') && kept.has(TABS) ? ofActiveTab(field) : (kept.get(key) ?? null);
    },
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    clear: () => kept.clear(),
    get length() {
      return kept.size;
    },
  };
}
