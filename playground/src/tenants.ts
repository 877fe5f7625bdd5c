import { ask } from './gateway';
import type { Session } from './session';

export interface Tenant {
  id: string;
  name: string;
  isPartner: boolean;
  isOrganization: boolean;
  /** Names of the tenants above that this client may see, from the top down. */
  path: string[];
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

type TenantNode = Omit<Tenant, 'path'> & { parentTenantID: string | null };
type TenantNodePage = Omit<TenantPage, 'tenants'> & { tenants: TenantNode[] };

const FIELDS = 'id name isPartner isOrganization parentTenantID';
const WHO = 'query WhoAmI { currentSubject { displayName } requestTenantContext { tenantIDs } }';
const ONE = `query OneTenant($id: ID!) { tenant(id: $id) { ${FIELDS} } }`;
const PAGE = `query TenantPage($query: TenantsQuery) {
  tenants(tenantsQuery: $query) { hasMore cursorPos totalCount tenants { ${FIELDS} } }
}`;
const ANCESTORS = `query Ancestors($query: TenantsQuery) { tenants(tenantsQuery: $query) { tenants { ${FIELDS} } } }`;
/** The gateway's own bound on the depth of the tenant tree. */
const MAX_DEPTH = 64;

/** The tenants that a session may enter. Remembers those above them, which the rows of a list share. */
export class TenantDirectory {
  readonly #session: Session;
  /** By id; null where this client may not see the tenant. */
  readonly #ancestors = new Map<string, TenantNode | null>();

  constructor(session: Session) {
    this.#session = session;
  }

  async home(): Promise<Home> {
    type Who = { currentSubject: { displayName: string }; requestTenantContext: { tenantIDs: string[] } };
    const who = await ask<Who>(this.#session, WHO);
    const id = who.requestTenantContext.tenantIDs[0] ?? '';
    const { tenant } = await ask<{ tenant: TenantNode }>(this.#session, ONE, { id });
    const [home] = await this.#withPaths([tenant]);
    return { displayName: who.currentSubject.displayName, tenant: home! };
  }

  /** A page of the tenants whose name contains the text, ordered by name. */
  async list(text: string, after: string | null): Promise<TenantPage> {
    const query = {
      orderBy: 'NAME',
      count: 50,
      ...(text ? { names: [`*${text}*`] } : {}),
      ...(after ? { afterCursor: after } : {}),
    };
    const { tenants: page } = await ask<{ tenants: TenantNodePage }>(this.#session, PAGE, { query });
    return { ...page, tenants: await this.#withPaths(page.tenants) };
  }

  async #withPaths(nodes: TenantNode[]): Promise<Tenant[]> {
    for (const node of nodes) {
      this.#ancestors.set(node.id, node);
    }
    // One request a level: siblings share their ancestors.
    for (let level = 0; level < MAX_DEPTH; level += 1) {
      const unknown = new Set(nodes.map((node) => this.#firstUnknownAncestor(node)).filter((id) => id !== null));
      if (unknown.size === 0) {
        break;
      }
      await this.#loadAncestors([...unknown]);
    }
    return nodes.map(({ parentTenantID, ...tenant }) => ({ ...tenant, path: this.#pathTo(parentTenantID) }));
  }

  #firstUnknownAncestor(node: TenantNode): string | null {
    let parent = node.parentTenantID;
    while (parent !== null) {
      const known = this.#ancestors.get(parent);
      if (known === undefined) {
        return parent;
      }
      parent = known?.parentTenantID ?? null;
    }
    return null;
  }

  async #loadAncestors(ids: string[]) {
    const query = { ids, count: ids.length };
    const { tenants: page } = await ask<{ tenants: TenantNodePage }>(this.#session, ANCESTORS, { query });
    for (const id of ids) {
      this.#ancestors.set(id, page.tenants.find((tenant) => tenant.id === id) ?? null);
    }
  }

  #pathTo(parentTenantID: string | null): string[] {
    const names: string[] = [];
    let parent = parentTenantID;
    while (parent !== null) {
      const ancestor = this.#ancestors.get(parent) ?? null;
      if (ancestor === null) {
        break;
      }
      names.unshift(ancestor.name);
      parent = ancestor.parentTenantID;
    }
    return names;
  }
}

export function isTenantId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** A tenant that the list does not offer, such as one outside the client's own, where it holds a role. */
export function tenantById(id: string): Tenant {
  return { id: id.toLowerCase(), name: id.toLowerCase(), isPartner: false, isOrganization: false, path: [] };
}

/** Tells two tenants of one name apart. */
export function shortId({ id }: Tenant): string {
  return id.slice(0, 8);
}

/** Partner / Organisation, as far as this client may see. */
export function pathText({ path }: Tenant): string {
  return path.join(' / ');
}
