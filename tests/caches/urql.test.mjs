import { gql } from '@urql/core';
import { recipeHolds } from './recipe.mjs';
import { clients } from './urql.mjs';

function adapted(clientOf) {
  const adapters = new Map();
  const adapt = (client) => ({
    async ask(document, variables = {}) {
      return (await client.query(gql(document), variables)).data;
    },
    async refetched(document, variables = {}) {
      return (await client.query(gql(document), variables, { requestPolicy: 'network-only' })).data;
    },
    async cached(document, variables = {}) {
      return (await client.query(gql(document), variables, { requestPolicy: 'cache-only' })).data;
    },
    async mutate(document, variables) {
      const { error } = await client.mutation(gql(document), variables);
      if (error) {
        throw error;
      }
    },
  });
  return (tenant) => {
    if (!adapters.has(tenant)) {
      adapters.set(tenant, adapt(clientOf(tenant)));
    }
    return adapters.get(tenant);
  };
}

recipeHolds('urql', {
  recipe: (demo) => adapted(clients(demo)),
  recipeByRemoteId: (demo) => adapted(clients({ ...demo, keys: { DeepSecurityComputer: ({ remoteID }) => remoteID } })),
});
