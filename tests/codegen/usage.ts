// A caller's code with the generated types. It must compile, except for the marked lines.
import type {
  ClientsQuery,
  ComputersQuery,
  CreateClientMutation,
  CreateClientMutationVariables,
  Role,
  TasksQuery,
  Tenant,
  WatchTaskSubscription,
} from './generated';

export const wanted: CreateClientMutationVariables = { name: 'my_awesome_app' };

// @ts-expect-error a client must have a name
export const nameless: CreateClientMutationVariables = {};

export function names(answer: ClientsQuery): string[] {
  return answer.clientsSearch?.results.map((client) => client.name) ?? [];
}

export function secretOf(answer: CreateClientMutation): string | undefined {
  return answer.createClient?.clientSecret;
}

export function secretOfSearch(answer: ClientsQuery): unknown {
  // @ts-expect-error a search never shows a secret
  return answer.clientsSearch?.results[0]?.clientSecret;
}

export function isTop(tenant: Tenant): boolean {
  // @ts-expect-error a parent may be absent
  const parent: string = tenant.parentTenantID;
  return !parent;
}

export const roleName = (role: Role): string => role.displayName;

export function hosts(answer: ComputersQuery): (string | null | undefined)[] {
  return answer.deepSecurity?.computers?.nodes.map((computer) => computer.hostName) ?? [];
}

export function hostsOfAll(answer: ComputersQuery): unknown {
  // @ts-expect-error a legacy system may fail
  return answer.deepSecurity.computers.nodes;
}

export function hasEnded({ integrationServerTask: { state } }: WatchTaskSubscription): boolean {
  return state === 'COMPLETED' || state === 'FAILED' || state === 'CANCELED';
}

export function madeTenants(answer: TasksQuery): string[] {
  const tasks = answer.integrationServer?.tasks?.nodes ?? [];
  return tasks.flatMap(({ result }) => (result?.__typename === 'IntegrationServerTenant' ? [result.name] : []));
}
