import { operationsOf, selectOperation } from '../operation';
import type { Tenant } from '../tenants';

interface Props {
  tenant: Tenant;
  query: string;
  operationName: string | null;
  running: boolean;
  selectName: (name: string) => void;
  run: () => void;
  stop: () => void;
}

/** Runs the operation; for a mutation the button names the tenant that will change. */
export function RunButton({ tenant, query, operationName, running, selectName, run, stop }: Props) {
  const names = operationsOf(query).flatMap(({ name }) => name?.value ?? []);
  const chosen = selectOperation(query, operationName);
  const label = chosen?.operation === 'mutation' ? `Run mutation in ${tenant.name}` : 'Run';
  return (
    <>
      {running ? (
        <button type="button" className="primary" onClick={stop}>
          Stop
        </button>
      ) : (
        <button type="button" className="primary" onClick={run} title="Ctrl-Enter">
          {label}
        </button>
      )}
      {names.length > 1 && (
        <select aria-label="Operation" value={chosen?.name?.value} onChange={({ currentTarget }) => selectName(currentTarget.value)}>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
    </>
  );
}
