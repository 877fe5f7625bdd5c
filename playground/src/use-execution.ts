import { useEffect, useRef, useState } from 'preact/hooks';
import { failed, type Outcome } from './answer';
import { execute, reservedHeader, subscribe, type Execution } from './execute';
import { InvalidJson, operationTitle, parseObject, placeholdersIn, selectOperation } from './operation';
import { redactVariables } from './redact';
import { SignInFailed, type Session } from './session';
import type { Tenant } from './tenants';
import type { Change, OperationTab } from './work';

interface Result {
  outcome: Outcome | null;
  /** Why there is no answer, for the person at the page. */
  problem: string;
  running: boolean;
}

const NOTHING: Result = { outcome: null, problem: '', running: false };

const MUTATION_STOPPED = 'Stopped. The gateway may have carried out the mutation all the same.';

/** Runs the operation of a tab in one tenant; each tab keeps its own result. */
export function useExecution(
  session: Session,
  tenant: Tenant,
  tab: OperationTab,
  dispatch: (change: Change) => void,
  leave: (why: string) => void,
) {
  const [results, setResults] = useState<ReadonlyMap<number, Result>>(new Map());
  const stops = useRef(new Map<number, () => void>());
  useEffect(() => () => stops.current.forEach((stop) => stop()), []);

  function update(id: number, change: Partial<Result>) {
    setResults((before) => new Map(before).set(id, { ...(before.get(id) ?? NOTHING), ...change }));
  }

  function finish(id: number, change: Partial<Result>) {
    stops.current.delete(id);
    update(id, { running: false, ...change });
  }

  function remember(outcome: Outcome) {
    const { query, variables } = tab;
    const entry = { tenant: tenant.name, title: operationTitle(query), query, variables: redactVariables(variables) };
    dispatch({ type: 'ran', entry: { at: Date.now(), ...entry, failed: failed(outcome) } });
  }

  function start(execution: Execution, isSubscription: boolean) {
    const { id } = tab;
    if (isSubscription) {
      const subscriber = {
        next: (outcome: Outcome) => {
          update(id, { outcome });
          if (outcome.events === 1) {
            remember(outcome);
          }
        },
        failed: (problem: string) => finish(id, { problem }),
        completed: () => finish(id, {}),
      };
      stops.current.set(id, subscribe(execution, subscriber));
      return;
    }
    const abort = new AbortController();
    stops.current.set(id, () => abort.abort());
    execute(execution, abort.signal).then(
      (outcome) => {
        finish(id, { outcome });
        remember(outcome);
      },
      (error: Error) => {
        if (error instanceof SignInFailed) {
          leave(error.message);
        } else if (!abort.signal.aborted) {
          finish(id, { problem: error.message });
        }
      },
    );
  }

  function run() {
    stop();
    let execution: Execution;
    try {
      execution = prepare(session, tenant, tab);
    } catch (error) {
      update(tab.id, { outcome: null, problem: (error as Error).message, running: false });
      return;
    }
    update(tab.id, { outcome: null, problem: '', running: true });
    start(execution, selectOperation(tab.query, tab.operationName)?.operation === 'subscription');
  }

  function stop() {
    stops.current.get(tab.id)?.();
    if (stops.current.has(tab.id)) {
      const isMutation = selectOperation(tab.query, tab.operationName)?.operation === 'mutation';
      finish(tab.id, isMutation ? { problem: MUTATION_STOPPED } : {});
    }
  }

  return { ...(results.get(tab.id) ?? NOTHING), run, stop };
}

/** The request of a tab; throws `InvalidJson` with a sentence that says what to mend. */
function prepare(session: Session, tenant: Tenant, tab: OperationTab): Execution {
  const variables = parseObject(tab.variables, 'The variables');
  const missing = placeholdersIn(variables);
  if (missing.length > 0) {
    const list = missing.map(({ path, hint }) => `\`${path}\` (${hint})`).join(', ');
    throw new InvalidJson(`Fill in the variables first: ${list}.`);
  }
  const headers = parseObject(tab.headers, 'The headers');
  const reserved = reservedHeader(headers);
  if (reserved !== undefined) {
    throw new InvalidJson(`The page sets the header \`${reserved}\` itself. Remove it; the tenant is chosen at the top.`);
  }
  const name = selectOperation(tab.query, tab.operationName)?.name?.value;
  const operation = { query: tab.query, variables, ...(name ? { operationName: name } : {}) };
  const texts = Object.entries(headers).map(([key, value]) => [key, String(value)]);
  return { session, tenantId: tenant.id, operation, headers: Object.fromEntries(texts) as Record<string, string> };
}
