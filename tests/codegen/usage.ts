// What a caller writes with the made types. It only has to compile, and the marked lines only must not.
import type { ClientsQuery, CreateClientMutation, CreateClientMutationVariables, Role, Tenant } from './generated';

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
