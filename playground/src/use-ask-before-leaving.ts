import { useLayoutEffect } from 'preact/hooks';

/**
 * The browser then asks before it leaves the page, by a reload for instance. At once: an effect after the next paint would
 * leave a gap, and would still ask about work that is kept by now.
 */
export function useAskBeforeLeaving(isNeeded: boolean) {
  useLayoutEffect(() => {
    if (!isNeeded) {
      return undefined;
    }
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isNeeded]);
}
