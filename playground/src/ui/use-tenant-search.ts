import { useEffect, useRef, useState } from 'react';
import type { Session } from '../session';
import { listTenants, type Tenant, type TenantPage } from '../tenants';

const TYPING_PAUSE_MS = 200;

/** The tenants that match the text, a page at a time, as long as the list is open. */
export function useTenantSearch(session: Session, text: string, open: boolean) {
  const [tenants, setTenants] = useState<Tenant[]>([]);
  const [page, setPage] = useState<TenantPage | null>(null);
  const [problem, setProblem] = useState('');
  // Answers that arrive after a newer question are dropped.
  const asked = useRef(0);

  function load(before: Tenant[], after: string | null) {
    const number = ++asked.current;
    listTenants(session, text, after).then(
      (next) => {
        if (number === asked.current) {
          setTenants([...before, ...next.tenants]);
          setPage(next);
          setProblem('');
        }
      },
      (error: unknown) => {
        if (number === asked.current) {
          setTenants([]);
          setPage(null);
          setProblem(error instanceof Error ? error.message : 'The tenants cannot be listed.');
        }
      },
    );
  }

  useEffect(() => {
    if (!open) {
      return;
    }
    const timer = setTimeout(() => load([], null), text ? TYPING_PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [session, text, open]);

  const hasMore = Boolean(page?.hasMore);
  return {
    tenants,
    hasMore,
    more: () => {
      if (hasMore) {
        load(tenants, page?.cursorPos ?? null);
      }
    },
    status: problem || (page ? count(tenants.length, page.totalCount) : 'Looking…'),
  };
}

function count(shown: number, total: number | null): string {
  if (shown === 0) {
    return 'No tenant of this name.';
  }
  return total !== null && total > shown ? `${shown} of ${total} tenants` : `${shown} ${shown === 1 ? 'tenant' : 'tenants'}`;
}
