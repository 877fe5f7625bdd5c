import { useEffect, useReducer, useRef } from 'preact/hooks';
import { failed, type Outcome } from './answer';
import { execute, reservedHeader, subscribe, type OperationRequest } from './execute';
import { isIn, openMutations, reduceExecutions, type Execution, type ExecutionChange } from './executions';
import { InvalidJson, operationTitle, parseObject, placeholdersIn, selectOperation } from './operation';
import { redactVariables } from './redact';
import { SignInFailed, TokenUnavailable, type Session } from './session';
import type { Tenant } from './tenants';
import type { Change, OperationTab } from './work';

const MAY_HAVE_RUN = 'The gateway may have carried out the mutation all the same.';

/** Runs operations, each in its tab and tenant. Mutations outlive a change of either. */
export function useExecutions(session: Session, dispatch: (change: Change) => void, leave: (why: string) => void) {
  const [executions, change] = useReducer(reduceExecutions, [] as readonly Execution[]);
  const stops = useRef(new Map<number, () => void>());
  const nextKey = useRef(1);
  const latest = useRef(executions);
  latest.current = executions;
  useEffect(() => () => stops.current.forEach((stop) => stop()), []);
  useAskBeforeLeaving(openMutations(executions).length > 0);

  function finish(key: number, result: Partial<Pick<Execution, 'outcome' | 'problem'>>) {
    stops.current.delete(key);
    change({ type: 'changed', key, change: { running: false, ...result } });
  }

  /** Stops to listen, without a word to the person. */
  function silence(key: number) {
    const stop = stops.current.get(key);
    // First, since a subscription reports its end while it is stopped.
    stops.current.delete(key);
    stop?.();
  }

  function signedOut(key: number, why: string) {
    // The gateway refused this one before it did anything.
    const others = openMutations(latest.current).filter((execution) => execution.key !== key);
    const lost = others.map(({ title, tenant, running }) => {
      const name = `${title} in ${tenant.name}`;
      return running ? ` No answer came to ${name}. ${MAY_HAVE_RUN}` : ` The answer of ${name} is lost.`;
    });
    leave(why + lost.join(''));
  }

  function run(tab: OperationTab, tenant: Tenant) {
    const before = latest.current.find((execution) => isIn(execution, tab.id, tenant.id));
    // Sending it twice by a second Ctrl-Enter could do twice what it does.
    if (before?.running && before.kind === 'mutation') {
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
      finish(execution.key, { problem: (error as Error).message });
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
      stops.current.set(key, subscribe(request, { next, failed: ended, completed: ended }));
      return;
    }
    const isMutation = kind === 'mutation';
    const abort = new AbortController();
    stops.current.set(key, () => {
      abort.abort();
      if (isMutation) {
        remember(null);
      }
    });
    execute(request, abort.signal).then(
      (outcome) => {
        finish(key, { outcome });
        remember(outcome);
      },
      (error: Error) => {
        if (abort.signal.aborted) {
          return;
        }
        if (error instanceof SignInFailed) {
          signedOut(key, error.message);
          return;
        }
        // Without a token nothing was sent.
        const isSent = isMutation && !(error instanceof TokenUnavailable);
        finish(key, { problem: isSent ? `${error.message} ${MAY_HAVE_RUN}` : error.message });
        if (isSent) {
          remember(null);
        }
      },
    );
  }

  function stop({ key, kind }: Execution) {
    silence(key);
    finish(key, kind === 'mutation' ? { problem: `Stopped. ${MAY_HAVE_RUN}` } : {});
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
    leaveTenant: ({ id }: Tenant) => leaveAll(({ tenant }) => tenant.id === id, { type: 'leftTenant', tenantId: id }),
    closeTab: (tab: number) => leaveAll((execution) => execution.tab === tab, { type: 'closedTab', tab }),
    dismiss: (key: number) => change({ type: 'dismissed', key }),
  };
}

/** The browser then asks before it leaves the page: the answer of a mutation may hold a secret that is shown once. */
function useAskBeforeLeaving(isNeeded: boolean) {
  useEffect(() => {
    if (!isNeeded) {
      return undefined;
    }
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isNeeded]);
}

function newExecution(key: number, tab: OperationTab, tenant: Tenant): Execution {
  const operation = selectOperation(tab.query, tab.operationName);
  const title = operation?.name?.value ?? operationTitle(tab.query);
  const kind = operation?.operation ?? ('query' as Execution['kind']);
  return { key, tab: tab.id, tenant, title, kind, outcome: null, problem: '', running: true, isLeft: false };
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
