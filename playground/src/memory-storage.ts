const TABS = 'graphiql:tabState';

interface Tab {
  query: string | null;
  variables: string | null;
}

/** Where GraphiQL keeps tabs, variables and history: nowhere but in memory, since what people type may be secret. */
export function memoryStorage(defaultTabs: Tab[]) {
  const kept = new Map<string, string>();

  // GraphiQL also keeps the texts of the active tab, but only once they are edited. Where they are missing it shows no
  // variables, and where they are not those of the active tab it opens another one.
  function ofActiveTab(field: keyof Tab): string | null {
    const state = kept.get(TABS);
    const { tabs, activeTabIndex } = state
      ? (JSON.parse(state) as { tabs: Tab[]; activeTabIndex: number })
      : { tabs: defaultTabs, activeTabIndex: 0 };
    return tabs[activeTabIndex]?.[field] ?? null;
  }

  return {
    getItem(key: string) {
      const field = key.replace('graphiql:', '');
      return field === 'query' || field === 'variables' ? ofActiveTab(field) : (kept.get(key) ?? null);
    },
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    clear: () => kept.clear(),
    get length() {
      return kept.size;
    },
  };
}
