import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

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
  const [dark, setDark] = useState(systemIsDark.matches);
  useEffect(() => watchSystem(() => setDark(systemIsDark.matches)), []);
  const theme = choice === 'system' ? (dark ? 'dark' : 'light') : choice;
  // Before the next paint, so that nothing is drawn in the colours of the other theme.
  useLayoutEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  useLayoutEffect(() => {
    if (choice === 'system') {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, choice);
    }
  }, [choice]);
  return { theme, choice, choose } as const;
}
