import relay from 'relay-runtime';
import { COMPUTER, DESCRIBE, FAN_OUT, IN_CONTEXT } from './documents.mjs';
import { recipeHolds } from './recipe.mjs';
import { dataIDOf, environments } from './relay.mjs';
import computer from './relay/__generated__/documentsComputerQuery.graphql.js';
import describe from './relay/__generated__/documentsDescribeMutation.graphql.js';
import fanOut from './relay/__generated__/documentsFanOutQuery.graphql.js';
import inContext from './relay/__generated__/documentsInContextQuery.graphql.js';

const { commitMutation, createOperationDescriptor, fetchQuery } = relay;
const compiled = new Map([[COMPUTER, computer], [DESCRIBE, describe], [FAN_OUT, fanOut], [IN_CONTEXT, inContext]]);

function adapted(environmentOf) {
  const adapters = new Map();
  const adapt = (environment) => {
    const ask = (document, variables = {}) => fetchQuery(environment, compiled.get(document), variables).toPromise();
    return {
      ask,
      refetched: ask,
      async cached(document, variables = {}) {
        const operation = createOperationDescriptor(compiled.get(document), variables);
        environment.retain(operation);
        return environment.lookup(operation.fragment).data;
      },
      mutate: (document, variables) =>
        new Promise((onCompleted, onError) => {
          commitMutation(environment, { mutation: compiled.get(document), variables, onCompleted, onError });
        }),
    };
  };
  return (tenant) => {
    if (!adapters.has(tenant)) {
      adapters.set(tenant, adapt(environmentOf(tenant)));
    }
    return adapters.get(tenant);
  };
}

recipeHolds('relay', {
  recipe: (demo) => adapted(environments(demo)),
  recipeByRemoteId: (demo) => {
    const getDataID = (record, type) => (type === 'DeepSecurityComputer' ? record.remoteID : dataIDOf(record, type));
    return adapted(environments({ ...demo, getDataID }));
  },
});
