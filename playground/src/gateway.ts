import type { Session } from './session';

export const GRAPHQL_ENDPOINT = '/graphql';

export interface Operation {
  query: string;
  operationName?: string | null | undefined;
  variables?: unknown;
}

/** How a sender follows its operation, and stops to listen. */
export interface Watch {
  signal: AbortSignal;
  /** Told whether the gateway may be carrying out the operation by now. */
  underWay: (may: boolean) => void;
}

/** Sends an operation as this session, in this tenant; without one, in the holder's own. */
export async function post(
  session: Session,
  tenantId: string | null,
  operation: Operation,
  headers: Record<string, string> = {},
  watch?: Watch,
): Promise<Response> {
  const send = async (authorization: Record<string, string>) => {
    watch?.underWay(true);
    const response = await reach(GRAPHQL_ENDPOINT, {
      method: 'POST',
      headers: {
        ...headers,
        Accept: 'application/graphql-response+json, application/json;q=0.9',
        'Content-Type': 'application/json',
        ...authorization,
        ...(tenantId ? { 'X-Tenant-Context': tenantId } : {}),
      },
      body: JSON.stringify(operation),
      credentials: session.cookies,
      cache: 'no-store',
      ...(watch ? { signal: watch.signal } : {}),
    });
    // 401 comes before anything is executed, so that even a mutation may be sent again.
    watch?.underWay(response.status !== 401);
    return response;
  };
  const response = await send(await session.authorization());
  return response.status === 401 ? send(await session.renew()) : response;
}

/** `fetch`, with a sentence for the person at the page where no response comes. */
async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    throw error instanceof TypeError ? new Error('The gateway cannot be reached. Is it running?') : error;
  }
}

/** The JSON of a response; a proxy in front of the gateway may answer with something else. */
export async function jsonOf(response: Response): Promise<unknown> {
  try {
    return (await response.json()) as unknown;
  } catch {
    throw new Error(`The gateway answered with status ${response.status} and no JSON.`);
  }
}

/** The data of one of the page's own queries. */
export async function ask<Data>(session: Session, query: string, variables: unknown = {}): Promise<Data> {
  const response = await post(session, null, { query, variables });
  const answer = (await jsonOf(response)) as { data?: Data | null; errors?: { message: string }[] };
  if (answer.errors?.length || !answer.data) {
    throw new Error(answer.errors?.[0]?.message ?? `The gateway answered with status ${response.status}.`);
  }
  return answer.data;
}
