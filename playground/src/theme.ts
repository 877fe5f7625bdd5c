import { useEffect, useState, useSyncExternalStore } from 'react';

export const choices = ['system', 'light', 'dark'] as const;
export type Choice = (typeof choices)[number];

/** The one thing that outlives the page. */
const KEY = 'tenant-gateway:theme';
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

function stored(): Choice {
  const text = localStorage.getItem(KEY);
  return choices.find((choice) => choice === text) ?? 'system';
}

function watchSystem(changed: () => void) {
  systemIsDark.addEventListener('change', changed);
  return () => systemIsDark.removeEventListener('change', changed);
}

export function useTheme() {
  const [choice, choose] = useState(stored);
  const dark = useSyncExternalStore(watchSystem, () => systemIsDark.matches);
  const theme = choice === 'system' ? (dark ? 'dark' : 'light') : choice;
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  useEffect(() => {
    if (choice === 'system') {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, choice);
    }
  }, [choice]);
  return { theme, choice, choose } as const;
}
