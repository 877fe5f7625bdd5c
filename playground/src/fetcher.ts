import type { GraphiQLProps } from 'graphiql';
import { Kind, parse, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { GRAPHQL_ENDPOINT, post, type Operation } from './gateway';
import { SignInFailed, type Session } from './session';

type Fetcher = GraphiQLProps['fetcher'];

export interface Connection {
  fetcher: Fetcher;
  schemaChanged(schema: GraphQLSchema): void;
  close(): void;
}

/** How GraphiQL reaches one tenant: over HTTP, and for subscriptions, where the schema has them, over one WebSocket. */
export function connect(session: Session, tenantId: string, ended: (why: string) => void): Connection {
  let subscribes = false;
  let socket: Client | undefined;

  const fetcher: Fetcher = (params, options) => {
    const operation = chosen(params);
    const request = { ...params, operationName: operation?.name?.value ?? params.operationName };
    if (operation?.operation === 'subscription' && subscribes) {
      socket ??= openSocket(session, tenantId);
      return socket.iterate(request as Parameters<Client['iterate']>[0]) as unknown as ReturnType<Fetcher>;
    }
    return send(session, tenantId, request, options?.headers).catch((error: unknown) => {
      if (error instanceof SignInFailed) {
        ended(error.message);
      }
      throw error;
    }) as ReturnType<Fetcher>;
  };

  return {
    fetcher,
    schemaChanged: (schema) => (subscribes = Boolean(schema.getSubscriptionType())),
    close: () => void socket?.dispose(),
  };
}

/** What runs. The editor's own idea of it lags behind the text, such as just after a change of tab. */
function chosen({ query, operationName }: Operation): OperationDefinitionNode | undefined {
  try {
    const operations = parse(query).definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
    return operations.length === 1 ? operations[0] : operations.find((node) => node.name?.value === operationName);
  } catch {
    // The gateway says what is wrong with it.
    return undefined;
  }
}

function openSocket(session: Session, tenantId: string): Client {
  return createClient({
    url: new URL(GRAPHQL_ENDPOINT, location.href.replace(/^http/, 'ws')).href,
    // Asked at each connection: the gateway ends a socket with its token, and the next one needs a new token.
    connectionParams: async () => ({
      Authorization: `Bearer ${await session.token()}`,
      'X-Tenant-Context': tenantId,
    }),
  });
}

async function send(session: Session, tenantId: string, params: Operation, headers?: Record<string, string>) {
  const response = await post(session, tenantId, params, headers).catch((error: unknown) => {
    throw error instanceof TypeError ? new Error('The gateway cannot be reached.') : error;
  });
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`The gateway answered with status ${response.status} and no JSON.`);
  }
}
