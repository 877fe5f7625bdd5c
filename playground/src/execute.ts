import { createClient } from 'graphql-ws';
import type { GraphqlAnswer, Outcome } from './answer';
import { GRAPHQL_ENDPOINT, jsonOf, post, type Operation, type Watch } from './gateway';
import type { Session } from './session';

/** The page itself sends these; typing them again would either do nothing or change who asks. */
const RESERVED_HEADERS = ['accept', 'authorization', 'content-type', 'x-csrf-token', 'x-tenant-context', 'x-tenant-id'];

export function reservedHeader(headers: Record<string, unknown>): string | undefined {
  return Object.keys(headers).find((name) => RESERVED_HEADERS.includes(name.toLowerCase()));
}

export interface OperationRequest {
  session: Session;
  tenantId: string;
  operation: Operation;
  headers: Record<string, string>;
}

/** Sends a query or a mutation; rejects with a sentence for the person at the page. */
export async function execute({ session, tenantId, operation, headers }: OperationRequest, watch: Watch) {
  const started = performance.now();
  const response = await post(session, tenantId, operation, { 'X-Query-Cost': '1', ...headers }, watch);
  const answer = (await jsonOf(response)) as GraphqlAnswer;
  const outcome: Outcome = { answer, status: response.status, milliseconds: performance.now() - started, events: 0 };
  return outcome;
}

interface Subscriber {
  next: (outcome: Outcome) => void;
  failed: (message: string) => void;
  completed: () => void;
}

/** Starts a subscription over a WebSocket of its own; returns what stops it. */
export function subscribe({ session, tenantId, operation }: OperationRequest, subscriber: Subscriber): () => void {
  const started = performance.now();
  let events = 0;
  const client = createClient({
    url: new URL(GRAPHQL_ENDPOINT, location.href.replace(/^http/, 'ws')).href,
    // Asked at each connection: the gateway ends a socket with its token, and the next one needs a new token.
    connectionParams: async () => ({
      ...(await session.authorization()),
      'X-Tenant-Context': tenantId,
    }),
  });
  const stop = client.subscribe(
    // A null name is not a name; graphql-ws wants it absent.
    { ...operation, operationName: operation.operationName ?? undefined } as Parameters<typeof client.subscribe>[0],
    {
      next: (answer) => {
        events += 1;
        const milliseconds = performance.now() - started;
        subscriber.next({ answer: answer as GraphqlAnswer, status: null, milliseconds, events });
      },
      error: (error) => subscriber.failed(explain(error)),
      complete: () => {
        void client.dispose();
        subscriber.completed();
      },
    },
  );
  return () => {
    stop();
    void client.dispose();
  };
}

function explain(error: unknown): string {
  if (Array.isArray(error)) {
    return (error as { message: string }[]).map(({ message }) => message).join('\n');
  }
  if (error instanceof CloseEvent) {
    return `The gateway closed the stream (${error.code}${error.reason && `, ${error.reason}`}).`;
  }
  return error instanceof Error ? error.message : 'The stream cannot be opened.';
}
