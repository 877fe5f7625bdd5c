// Apollo Client 3 and 4 in front of Tenant Gateway.
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client/core';

// Interfaces and unions with their members, so that fragments on `Node` match what is cached.
export function possibleTypesOf({ __schema }) {
  const abstract = __schema.types.filter(({ possibleTypes }) => possibleTypes?.length);
  return Object.fromEntries(abstract.map(({ name, possibleTypes }) => [name, possibleTypes.map((type) => type.name)]));
}

// One client, and with it one cache, for each tenant in context: `deepSecurity`, `clientsSearch` and the other root fields
// answer for the tenant of the header, which is no part of a cache's key. Objects need no such care: their ids are global.
export function clients({ url, token, introspection, typePolicies = {} }) {
  const known = new Map();
  const make = (tenant) =>
    new ApolloClient({
      link: new HttpLink({
        uri: `${url}/graphql`,
        headers: { authorization: `Bearer ${token}`, ...(tenant && { 'x-tenant-context': tenant }) },
      }),
      cache: new InMemoryCache({ possibleTypes: possibleTypesOf(introspection), typePolicies }),
      // One customer's error must not hide what the others answered.
      defaultOptions: { query: { errorPolicy: 'all' }, watchQuery: { errorPolicy: 'all' } },
    });
  return (tenant) => {
    if (!known.has(tenant)) {
      known.set(tenant, make(tenant));
    }
    return known.get(tenant);
  };
}
