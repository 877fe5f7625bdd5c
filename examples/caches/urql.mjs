// urql with its normalised cache, Graphcache, in front of Tenant Gateway.
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';

// Types without an `id`, such as connections and the modules of a computer, are parts of the object above them.
export function keysOf({ __schema }) {
  const objects = __schema.types.filter(({ kind, name }) => kind === 'OBJECT' && !name.startsWith('__'));
  const parts = objects.filter(({ fields }) => !fields.some(({ name }) => name === 'id'));
  return Object.fromEntries(parts.map(({ name }) => [name, () => null]));
}

// One client, and with it one cache, for each tenant in context: `deepSecurity`, `clientsSearch` and the other root fields
// answer for the tenant of the header, which is no part of a cache's key. Objects need no such care: their ids are global.
export function clients({ url, token, introspection, keys = {} }) {
  const known = new Map();
  const make = (tenant) =>
    new Client({
      url: `${url}/graphql`,
      preferGetMethod: false,
      fetchOptions: { headers: { authorization: `Bearer ${token}`, ...(tenant && { 'x-tenant-context': tenant }) } },
      exchanges: [
        // With the schema the cache knows which fields may be null, and keeps an answer of which one customer failed.
        cacheExchange({ schema: introspection, keys: { ...keysOf(introspection), ...keys } }),
        fetchExchange,
      ],
    });
  return (tenant) => {
    if (!known.has(tenant)) {
      known.set(tenant, make(tenant));
    }
    return known.get(tenant);
  };
}
