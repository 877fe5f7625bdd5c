// A token, a tenant, its clients, one made and deleted, its computers, and a task that is watched: with urql.
// Install and run it with `npm ci` and `npm start`.
// Takes URL, CLIENT_ID, CLIENT_SECRET and TENANT (the id of a tenant) from the environment.
import { Client, fetchExchange, gql, type AnyVariables, type OperationResult, type TypedDocumentNode } from '@urql/core';

type Named = { id: string; name: string; clientID: string };
type Computer = { hostName: string; platform: string };
type Task = { state: string; progress: number };

const CLIENTS: TypedDocumentNode<{ clientsSearch: { totalCount: number; results: Named[] } }> = gql`
  query Clients {
    clientsSearch {
      totalCount
      results {
        id
        name
        clientID
      }
    }
  }
`;

const CREATE: TypedDocumentNode<{ createClient: { clientSecret: string; client: Named } }, { name: string }> = gql`
  mutation CreateClient($name: String!) {
    createClient(name: $name) {
      clientSecret
      client {
        id
        name
        clientID
      }
    }
  }
`;

const DELETE: TypedDocumentNode<{ deleteClient: Named }, { id: string }> = gql`
  mutation DeleteClient($id: ID!) {
    deleteClient(id: $id) {
      id
      name
      clientID
    }
  }
`;

const COMPUTERS: TypedDocumentNode<{ deepSecurity: { computers: { nodes: Computer[] } } }> = gql`
  query Computers {
    deepSecurity {
      computers(first: 5) {
        nodes {
          hostName
          platform
        }
      }
    }
  }
`;

const REPORT: TypedDocumentNode<{ createIntegrationServerReport: { id: string } }> = gql`
  mutation Report {
    createIntegrationServerReport {
      id
    }
  }
`;

const WATCH: TypedDocumentNode<{ integrationServerTask: Task }, { id: string }> = gql`
  subscription Watch($id: ID!) {
    integrationServerTask(id: $id) {
      state
      progress
    }
  }
`;

function environment(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set`);
  }
  return value;
}

async function getToken(url: string): Promise<string> {
  const response = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: environment('CLIENT_ID'),
      client_secret: environment('CLIENT_SECRET'),
    }),
  });
  if (!response.ok) {
    throw new Error(`no token: ${await response.text()}`);
  }
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}

function dataOf<Data>({ data, error }: OperationResult<Data, AnyVariables>): Data {
  if (error || !data) {
    throw error ?? new Error('no data');
  }
  return data;
}

const url = environment('URL');
const headers = { Authorization: `Bearer ${await getToken(url)}`, 'X-Tenant-Context': environment('TENANT') };
const client = new Client({
  url: `${url}/graphql`,
  exchanges: [fetchExchange],
  fetchOptions: { headers },
  preferGetMethod: false,
  // Subscriptions come as server-sent events, over the same fetch.
  fetchSubscriptions: true,
});

const { clientsSearch } = dataOf(await client.query(CLIENTS, {}));
console.log(`${clientsSearch.totalCount} clients`);
for (const { name, clientID } of clientsSearch.results) {
  console.log(`  ${name}  ${clientID}`);
}

// The answer shows the secret of the new client, once: this is the place to put it into a vault.
const { createClient } = dataOf(await client.mutation(CREATE, { name: 'made with urql' }));
console.log(`made ${createClient.client.id}`);

const { deleteClient } = dataOf(await client.mutation(DELETE, { id: createClient.client.id }));
console.log(`deleted ${deleteClient.id}`);

// The same tenant at its Deep Security manager: the gateway knows which that is, and has a key for it.
const { deepSecurity } = dataOf(await client.query(COMPUTERS, {}));
for (const { hostName, platform } of deepSecurity.computers.nodes) {
  console.log(`  ${hostName}  ${platform}`);
}

// What takes the Integration Server a while is a task: how it is now, then each change, until its end.
const { createIntegrationServerReport } = dataOf(await client.mutation(REPORT, {}));
await new Promise<void>((resolve, reject) => {
  client.subscription(WATCH, createIntegrationServerReport).subscribe(({ data, error }) => {
    if (error || !data) {
      return reject(error);
    }
    const { state, progress } = data.integrationServerTask;
    console.log(`report: ${state} ${progress} %`);
    if (['COMPLETED', 'FAILED', 'CANCELED'].includes(state)) {
      resolve();
    }
  });
});
