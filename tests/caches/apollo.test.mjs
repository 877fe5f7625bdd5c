// Bundled twice: with Apollo Client 3 and with 4.
import { gql } from '@apollo/client/core';
import { clients } from './apollo.mjs';
import { recipeHolds } from './recipe.mjs';

const { APOLLO } = process.env;

function adapted(clientOf) {
  const adapters = new Map();
  const adapt = (client) => ({
    async ask(document, variables) {
      return (await client.query({ query: gql(document), variables })).data;
    },
    async refetched(document, variables) {
      return (await client.query({ query: gql(document), variables, fetchPolicy: 'network-only' })).data;
    },
    async cached(document, variables) {
      return client.readQuery({ query: gql(document), variables });
    },
    async mutate(document, variables) {
      await client.mutate({ mutation: gql(document), variables });
    },
  });
  return (tenant) => {
    if (!adapters.has(tenant)) {
      adapters.set(tenant, adapt(clientOf(tenant)));
    }
    return adapters.get(tenant);
  };
}

recipeHolds(`apollo-${APOLLO}`, {
  recipe: (demo) => adapted(clients(demo)),
  recipeByRemoteId: (demo) => {
    const byRemoteId = { keyFields: ['remoteID'] };
    return adapted(clients({ ...demo, typePolicies: { DeepSecurityComputer: byRemoteId } }));
  },
});
