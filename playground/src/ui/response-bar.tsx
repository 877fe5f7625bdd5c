import { failed, pathText, type GraphqlError, type Outcome } from '../answer';
import type { Tenant } from '../tenants';

interface Props {
  outcome: Outcome | null;
  problem: string;
  running: boolean;
  /** The tenant in which it was sent, where that is not the current one. */
  from: Tenant | null;
  tenantNames: ReadonlyMap<string, string>;
  jumpTo: (path: GraphqlError['path']) => void;
  copy: () => void;
}

/** How the last execution went: state, time and cost, and each error with a way to its place in the answer. */
export function ResponseBar({ outcome, problem, running, from, tenantNames, jumpTo, copy }: Props) {
  const errors = outcome?.answer.errors ?? [];
  return (
    <div className="response-bar">
      <div className="outcome">
        <p role="status">
          {from && <span className="badge changes">From {from.name}</span>}
          {running && !outcome && <span>Running…</span>}
          {problem && <span className="problem">{problem}</span>}
          {outcome && <Summary outcome={outcome} running={running} />}
        </p>
        {outcome && (
          <button type="button" className="copy" aria-label="Copy the response" onClick={copy}>
            Copy
          </button>
        )}
      </div>
      {errors.length > 0 && (
        <ul className="errors" aria-label="Errors">
          {errors.map((error, index) => (
            <li key={index}>
              <button type="button" onClick={() => jumpTo(error.path)} disabled={!error.path}>
                <strong>{error.extensions?.code ?? 'ERROR'}</strong>
                {error.path && <code>{pathText(error.path)}</code>}
                <TenantName error={error} names={tenantNames} />
                <span>{error.message}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Summary({ outcome, running }: { outcome: Outcome; running: boolean }) {
  const { answer, status, milliseconds, events } = outcome;
  const count = answer.errors?.length ?? 0;
  const cost = answer.extensions?.cost;
  return (
    <>
      <span className={failed(outcome) ? 'badge failed' : 'badge passed'}>
        {failed(outcome) ? (count === 1 ? '1 error' : `${count} errors`) : 'OK'}
      </span>
      {status !== null && <span>HTTP {status}</span>}
      {events > 0 && <span>{`${running ? 'Live, ' : 'Completed, '}${events} ${events === 1 ? 'event' : 'events'}`}</span>}
      <span>{Math.round(milliseconds)} ms</span>
      {cost && (
        <span>
          {cost.fields} fields, {cost.upstreamCalls} upstream calls, {cost.tenants} {cost.tenants === 1 ? 'tenant' : 'tenants'}
        </span>
      )}
    </>
  );
}

function TenantName({ error, names }: { error: GraphqlError; names: ReadonlyMap<string, string> }) {
  const id = error.extensions?.tenantID;
  return id ? <em>{names.get(id) ?? id}</em> : null;
}
