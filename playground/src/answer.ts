/** A GraphQL answer as the page reads it; everything in it may be missing. */
export interface GraphqlAnswer {
  data?: unknown;
  errors?: GraphqlError[];
  extensions?: { cost?: { fields: number; upstreamCalls: number; tenants: number } };
}

export interface GraphqlError {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string; tenantID?: string; retryable?: boolean; requestId?: string };
}

/** What one execution showed, over HTTP or as an event of a subscription. */
export interface Outcome {
  answer: GraphqlAnswer;
  /** Absent for an event of a subscription. */
  status: number | null;
  milliseconds: number;
  /** Events received so far; 0 for a query or a mutation. */
  events: number;
}

export function failed({ answer, status }: Outcome): boolean {
  return Boolean(answer.errors?.length) || (status !== null && status >= 400);
}

export function pathText(path: GraphqlError['path']): string {
  return (path ?? []).join('.');
}

export interface TenantRow {
  id: string;
  name: string;
  path: (string | number)[];
  errors: GraphqlError[];
}

/** The tenants of a fan-out query, each with the errors below it. */
export function tenantRows({ data, errors = [] }: GraphqlAnswer): TenantRow[] {
  const tenants = (data as { tenants?: { tenants?: unknown } } | null | undefined)?.tenants?.tenants;
  if (!Array.isArray(tenants)) {
    return [];
  }
  return tenants.map((tenant: { id?: string; name?: string } | null, index) => {
    const path = ['tenants', 'tenants', index];
    const below = errors.filter((error) => path.every((step, depth) => error.path?.[depth] === step));
    const id = tenant?.id ?? '';
    return { id, name: tenant?.name ?? (id || `Tenant ${index + 1}`), path, errors: below };
  });
}
