// Relay in front of Tenant Gateway.
import relay from 'relay-runtime';

const { Environment, Network, RecordSource, Store } = relay;

// Relay finds records by `id` alone, without the type. A subject has the id of the client that it is, so it gets its own.
export function dataIDOf({ id }, typeName) {
  return typeName === 'Subject' ? `Subject:${id}` : id;
}

// One environment, and with it one store, for each tenant in context: `deepSecurity`, `clientsSearch` and the other root
// fields answer for the tenant of the header, which is no part of a store's key. Objects need no such care: their ids are
// global, and `node(id:)` refetches them.
export function environments({ url, token, getDataID = dataIDOf }) {
  const known = new Map();
  const make = (tenant) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(tenant && { 'x-tenant-context': tenant }),
    };
    const send = async ({ text }, variables) => {
      const body = JSON.stringify({ query: text, variables });
      const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
      return response.json();
    };
    return new Environment({ network: Network.create(send), store: new Store(new RecordSource()), getDataID });
  };
  return (tenant) => {
    if (!known.has(tenant)) {
      known.set(tenant, make(tenant));
    }
    return known.get(tenant);
  };
}
