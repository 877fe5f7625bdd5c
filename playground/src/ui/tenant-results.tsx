import type { TenantRow } from '../answer';

interface Props {
  rows: TenantRow[];
  jumpTo: (path: (string | number)[]) => void;
}

/** Which tenants of a fan-out answered, and which did not. */
export function TenantResults({ rows, jumpTo }: Props) {
  const failed = rows.filter(({ errors }) => errors.length > 0).length;
  return (
    <div className="tenant-results" tabIndex={0} role="region" aria-label="Result of each tenant">
      <p>
        {rows.length - failed} of {rows.length} tenants answered in full.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Tenant</th>
            <th scope="col">Result</th>
            <th scope="col">Reason</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, name, path, errors }, index) => (
            <tr key={id || index}>
              <th scope="row">
                <button type="button" className="link" onClick={() => jumpTo(errors[0]?.path ?? path)}>
                  {name}
                </button>
              </th>
              <td>
                <span className={errors.length ? 'badge failed' : 'badge passed'}>{errors[0]?.extensions?.code ?? 'answered'}</span>
              </td>
              <td>
                {errors.map(({ message }) => message).join(' ')}
                {errors.some(({ extensions }) => extensions?.retryable) && ' Try again later.'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
