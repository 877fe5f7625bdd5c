// A token, a tenant, its clients, a new one, and its end: with urql.
// Takes URL, CLIENT_ID, CLIENT_SECRET and TENANT (the id of a tenant) from the environment.
import { Client, fetchExchange, gql, type AnyVariables, type OperationResult, type TypedDocumentNode } from '@urql/core';

type Named = { id: string; name: string; clientID: string };

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
