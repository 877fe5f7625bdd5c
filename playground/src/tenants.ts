import { ask } from './gateway';
import type { Session } from './session';

export interface Tenant {
  id: string;
  name: string;
  isPartner: boolean;
  isOrganization: boolean;
}

export interface TenantPage {
  tenants: Tenant[];
  hasMore: boolean;
  cursorPos: string | null;
  totalCount: number | null;
}

/** Who is signed in, and the tenant that this client belongs to. */
export interface Home {
  displayName: string;
  tenant: Tenant;
}

const FIELDS = 'id name isPartner isOrganization';
const WHO = 'query WhoAmI { currentSubject { displayName } requestTenantContext { tenantIDs } }';
const ONE = `query OneTenant($id: ID!) { tenant(id: $id) { ${FIELDS} } }`;
const PAGE = `query TenantPage($query: TenantsQuery) {
  tenants(tenantsQuery: $query) { hasMore cursorPos totalCount tenants { ${FIELDS} } }
}`;

export async function findHome(session: Session): Promise<Home> {
  type Who = { currentSubject: { displayName: string }; requestTenantContext: { tenantIDs: string[] } };
  const who = await ask<Who>(session, WHO);
  const id = who.requestTenantContext.tenantIDs[0] ?? '';
  const { tenant } = await ask<{ tenant: Tenant }>(session, ONE, { id });
  return { displayName: who.currentSubject.displayName, tenant };
}

/** Tenants that the client may enter and whose name contains the text, by name. */
export async function listTenants(session: Session, text: string, after: string | null): Promise<TenantPage> {
  const query = {
    orderBy: 'NAME',
    count: 50,
    ...(text ? { names: [`*${text}*`] } : {}),
    ...(after ? { afterCursor: after } : {}),
  };
  const { tenants } = await ask<{ tenants: TenantPage }>(session, PAGE, { query });
  return tenants;
}

export function isTenantId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** A tenant that the list does not offer, such as one outside the client's own, where it holds a role. */
export function tenantById(id: string): Tenant {
  return { id: id.toLowerCase(), name: id.toLowerCase(), isPartner: false, isOrganization: false };
}
