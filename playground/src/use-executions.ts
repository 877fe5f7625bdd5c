import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import { failed, type Outcome } from './answer';
import { execute, reservedHeader, subscribe, type OperationRequest } from './execute';
import { isIn, openMutations, reduceExecutions, type Execution, type ExecutionChange } from './executions';
import { lostWithSession, MAY_HAVE_RUN } from './leaving';
import { InvalidJson, operationTitle, parseObject, placeholdersIn, selectOperation } from './operation';
import { redactVariables } from './redact';
import { SignInFailed, type Session } from './session';
import type { Tenant } from './tenants';
import { useAskBeforeLeaving } from './use-ask-before-leaving';
import type { Change, OperationTab } from './work';

/**
 * Runs operations, each in its tab and tenant. Mutations outlive a change of either. To be used after `useWork`, whose
 * `dispatch` it is given: the history is written before the session is left.
 */
export function useExecutions(session: Session, dispatch: (change: Change) => void, leave: (why: string) => void) {
  const [executions, change] = useReducer(reduceExecutions, [] as readonly Execution[]);
  // Each stops to listen, and says whether the gateway may carry out the operation all the same.
  const stops = useRef(new Map<number, () => boolean>());
  const nextKey = useRef(1);
  const latest = useRef(executions);
  latest.current = executions;
  const [ending, setEnding] = useState<{ then: () => void } | null>(null);
  useEffect(() => () => stops.current.forEach((stop) => stop()), []);
  // The work of the session was written by a layout effect before this one.
  useLayoutEffect(() => ending?.then(), [ending]);
  // The answer of a mutation may hold a secret that is shown once.
  useAskBeforeLeaving(openMutations(executions).length > 0);

  function finish(key: number, result: Partial<Execution>) {
    stops.current.delete(key);
    change({ type: 'changed', key, change: { running: false, ...result } });
  }

  /** Stops to listen, without a word to the person; whether the gateway may carry out the operation all the same. */
  function silence(key: number): boolean {
    const stop = stops.current.get(key);
    // First, since a subscription reports its end while it is stopped.
    stops.current.delete(key);
    return stop?.() ?? false;
  }

  /** Stops everything and records the mutations to which no answer came, before the session is left. */
  function end(then: () => void) {
    for (const key of [...stops.current.keys()]) {
      const kind = latest.current.find((execution) => execution.key === key)?.kind;
      const mayRun = silence(key);
      // Shown while the gateway ends the session, which may take a while.
      finish(key, { hasNotRun: !mayRun, problem: kind === 'mutation' ? stoppedProblem(mayRun) : '' });
    }
    setEnding((earlier) => earlier ?? { then });
  }

  /** The gateway refused this one before it did anything: it is neither recorded nor named. */
  function refused(key: number, why: string) {
    stops.current.delete(key);
    change({ type: 'dismissed', key });
    // After the others that wait for the same token, which are refused with it.
    setTimeout(() => end(() => leave([why, ...lostWithSession(openMutations(latest.current))].join(' '))));
  }

  function run(tab: OperationTab, tenant: Tenant) {
    const before = latest.current.find((execution) => isIn(execution, tab.id, tenant.id));
    // Sent twice by a second Ctrl-Enter, a mutation could do twice what it does; sent while the session ends, it is not recorded.
    if (ending || (before?.running && before.kind === 'mutation')) {
      return;
    }
    if (before) {
      silence(before.key);
    }
    const execution = newExecution(nextKey.current++, tab, tenant);
    change({ type: 'started', execution });
    try {
      start(execution, tab, prepare(session, tenant, tab));
    } catch (error) {
      finish(execution.key, { hasNotRun: true, problem: (error as Error).message });
    }
  }

  function start({ key, kind, tenant }: Execution, tab: OperationTab, request: OperationRequest) {
    const remember = (outcome: Outcome | null) => dispatch({ type: 'ran', entry: historyEntry(tab, tenant, outcome) });
    if (kind === 'subscription') {
      const isOpen = () => stops.current.has(key);
      const next = (outcome: Outcome) => {
        if (isOpen()) {
          change({ type: 'changed', key, change: { outcome } });
        }
        if (outcome.events === 1) {
          remember(outcome);
        }
      };
      const ended = (problem = '') => isOpen() && finish(key, { problem });
      const stop = subscribe(request, { next, failed: ended, completed: ended });
      stops.current.set(key, () => {
        stop();
        return false;
      });
      return;
    }
    const isMutation = kind === 'mutation';
    const abort = new AbortController();
    let mayRun = false;
    stops.current.set(key, () => {
      abort.abort();
      if (isMutation && mayRun) {
        remember(null);
      }
      return mayRun;
    });
    execute(request, { signal: abort.signal, underWay: (may) => (mayRun = may) }).then(
      (outcome) => {
        finish(key, { outcome });
        remember(outcome);
      },
      (error: Error) => {
        if (abort.signal.aborted) {
          return;
        }
        if (error instanceof SignInFailed) {
          refused(key, error.message);
          return;
        }
        const isLost = isMutation && mayRun;
        finish(key, { hasNotRun: !mayRun, problem: isLost ? `${error.message} ${MAY_HAVE_RUN}` : error.message });
        if (isLost) {
          remember(null);
        }
      },
    );
  }

  function stop({ key, kind }: Execution) {
    const problem = stoppedProblem(silence(key));
    finish(key, kind === 'mutation' ? { problem, isStopped: true } : {});
  }

  /** For a change after which only mutations go on. */
  function leaveAll(isLeft: (execution: Execution) => boolean, then: ExecutionChange) {
    const left = latest.current.filter((execution) => execution.kind !== 'mutation' && isLeft(execution));
    left.forEach(({ key }) => silence(key));
    change(then);
  }

  return {
    all: executions,
    run,
    stop,
    end,
    see: (key: number) => change({ type: 'seen', key }),
    leaveTenant: ({ id }: Tenant) => leaveAll(({ tenant }) => tenant.id === id, { type: 'leftTenant', tenantId: id }),
    closeTab: (tab: number) => leaveAll((execution) => execution.tab === tab, { type: 'closedTab', tab }),
    dismiss: (key: number) => change({ type: 'dismissed', key }),
  };
}

function stoppedProblem(mayRun: boolean): string {
  return mayRun ? `Stopped. ${MAY_HAVE_RUN}` : 'Stopped. It was not carried out.';
}

function newExecution(key: number, tab: OperationTab, tenant: Tenant): Execution {
  const operation = selectOperation(tab.query, tab.operationName);
  const title = operation?.name?.value ?? operationTitle(tab.query);
  const kind = operation?.operation ?? ('query' as Execution['kind']);
  const state = { outcome: null, problem: '', running: true, hasNotRun: false, isStopped: false, isSeen: false };
  return { key, tab: tab.id, tenant, title, kind, ...state };
}

function historyEntry({ query, variables }: OperationTab, tenant: Tenant, outcome: Outcome | null) {
  return {
    at: Date.now(),
    tenant: tenant.name,
    title: operationTitle(query),
    query,
    variables: redactVariables(variables),
    failed: outcome !== null && failed(outcome),
    unanswered: outcome === null,
  };
}

/** The request of a tab; throws `InvalidJson` with a sentence that says what to mend. */
function prepare(session: Session, tenant: Tenant, tab: OperationTab): OperationRequest {
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
