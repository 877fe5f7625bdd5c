// A gateway whose schema has a subscription, as far as the page can see.

/** Adds `Subscription.tick` to the schema that the page is told, and answers it on the socket. */
export async function subscriptionsOverWebSocket(page, sockets) {
  await page.route('**/graphql', async (route) => {
    if (!route.request().postData()?.includes('__schema')) {
      return route.continue();
    }
    const response = await route.fetch();
    const answer = await response.json();
    const { __schema: schema } = answer.data;
    schema.subscriptionType = { name: 'Subscription' };
    schema.types.push(subscriptionType);
    return route.fulfill({ response, json: answer });
  });
  await page.routeWebSocket('**/graphql', (socket) => {
    const seen = { protocol: 'graphql-transport-ws' };
    sockets.push(seen);
    socket.onMessage((text) => {
      const message = JSON.parse(text);
      const send = (answer) => socket.send(JSON.stringify(answer));
      if (message.type === 'connection_init') {
        seen.payload = message.payload;
        send({ type: 'connection_ack' });
      }
      if (message.type === 'subscribe') {
        for (const tick of [1, 2, 3]) {
          send({ type: 'next', id: message.id, payload: { data: { tick } } });
        }
        send({ type: 'complete', id: message.id });
      }
    });
  });
}

const subscriptionType = {
  kind: 'OBJECT',
  name: 'Subscription',
  description: null,
  fields: [
    {
      name: 'tick',
      description: null,
      args: [],
      type: { kind: 'SCALAR', name: 'Int', ofType: null },
      isDeprecated: false,
      deprecationReason: null,
    },
  ],
  inputFields: null,
  interfaces: [],
  enumValues: null,
  possibleTypes: null,
};
