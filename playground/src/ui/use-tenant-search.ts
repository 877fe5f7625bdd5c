import { useEffect, useRef, useState } from 'preact/hooks';
import type { Tenant, TenantDirectory, TenantPage } from '../tenants';

const TYPING_PAUSE_MS = 200;

interface Found {
  /** The text that these tenants match. */
  text: string;
  tenants: Tenant[];
  page: TenantPage | null;
  problem: string;
}

/** The tenants that match the text, a page at a time, as long as the list is open. */
export function useTenantSearch(directory: TenantDirectory, text: string, open: boolean) {
  const [found, setFound] = useState<Found | null>(null);
  // Drops an answer that arrives after a newer request.
  const latestRequest = useRef(0);

  function load(before: Tenant[], after: string | null) {
    const request = ++latestRequest.current;
    const settle = (result: Omit<Found, 'text'>) => {
      if (request === latestRequest.current) {
        setFound({ text, ...result });
      }
    };
    directory.list(text, after).then(
      (page) => settle({ tenants: [...before, ...page.tenants], page, problem: '' }),
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : 'The tenants cannot be listed.';
        settle({ tenants: [], page: null, problem });
      },
    );
  }

  useEffect(() => {
    // A list opened again is asked for again: tenants may have come and gone.
    latestRequest.current += 1;
    setFound(null);
    if (!open) {
      return;
    }
    const timer = setTimeout(() => load([], null), text ? TYPING_PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [directory, text, open]);

  // Between a keystroke and the effect above, `found` still belongs to the text before.
  const current = found?.text === text ? found : null;
  const hasMore = Boolean(current?.page?.hasMore);
  return {
    tenants: current?.tenants ?? [],
    /** Whether `tenants` answers the present text. */
    settled: current !== null,
    hasMore,
    more: () => {
      if (current && hasMore) {
        load(current.tenants, current.page?.cursorPos ?? null);
      }
    },
    status: current ? current.problem || count(current.tenants.length, current.page?.totalCount ?? null) : 'Searching…',
  };
}

function count(shown: number, total: number | null): string {
  if (shown === 0) {
    return 'No tenant of this name.';
  }
  return total !== null && total > shown ? `${shown} of ${total} tenants` : `${shown} ${shown === 1 ? 'tenant' : 'tenants'}`;
}
