import { failed } from '../answer';
import type { Execution } from '../executions';
import { shortId } from '../tenants';

interface Props {
  executions: Execution[];
  shown: Execution | undefined;
  show: (key: number | null) => void;
  stop: (execution: Execution) => void;
  dismiss: (key: number) => void;
}

/** Operations of other tabs and tenants that run, or whose end the person has not seen there. */
export function Elsewhere({ executions, shown, show, stop, dismiss }: Props) {
  return (
    // Without a role of its own: the bar below is the status of the response.
    <div aria-live="polite">
      {executions.length > 0 && (
        <ul className="elsewhere" aria-label="Sent elsewhere">
          {executions.map((execution) => (
            <li key={execution.key}>
              <span>
                <strong>{execution.title}</strong> in <strong>{execution.tenant.name}</strong>{' '}
                <code>{shortId(execution.tenant)}</code>: <State execution={execution} />
              </span>
              {execution.outcome && (
                <button
                  type="button"
                  aria-pressed={execution === shown}
                  aria-label={`Show the answer of ${execution.title} in ${execution.tenant.name}`}
                  onClick={() => show(execution === shown ? null : execution.key)}
                >
                  Show
                </button>
              )}
              {execution.running ? (
                <button
                  type="button"
                  aria-label={`Stop ${execution.title} in ${execution.tenant.name}`}
                  onClick={() => stop(execution)}
                >
                  Stop
                </button>
              ) : (
                <button
                  type="button"
                  aria-label={`Dismiss ${execution.title} in ${execution.tenant.name}`}
                  onClick={() => dismiss(execution.key)}
                >
                  Dismiss
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function State({ execution }: { execution: Execution }) {
  const { outcome, problem, running } = execution;
  if (outcome) {
    return <>answered {failed(outcome) ? 'with errors' : 'without errors'}.</>;
  }
  return <>{running ? 'still running there; the answer will be kept here.' : problem}</>;
}
