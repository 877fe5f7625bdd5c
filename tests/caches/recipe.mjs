// The properties of each recipe. A client is `{ ask, refetched, cached, mutate }` of one tenant.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { COMPUTER, DESCRIBE, FAN_OUT, IN_CONTEXT } from './documents.mjs';
import { plain, startDemo } from './gateway.mjs';

export function recipeHolds(name, { recipe, recipeByRemoteId }) {
  let demo;
  before(async () => {
    demo = await startDemo(name);
  });
  after(() => demo.stop());

  test(`${name}: fan-out shows each customer its own objects from the cache`, async () => {
    const truth = await demo.ask(FAN_OUT);
    assert.ok(truth.errors.length > 0, 'one customer of the demo fails, and the others are shown all the same');
    const client = recipe(demo)();
    assert.deepEqual(plain(await client.ask(FAN_OUT)), plain(truth.data));
    assert.deepEqual(plain(await client.cached(FAN_OUT)), plain(truth.data));
  });

  test(`${name}: fan-out would mix customers if objects were found by the vendor's id`, async () => {
    const truth = await demo.ask(FAN_OUT);
    const client = recipeByRemoteId(demo)();
    await client.ask(FAN_OUT);
    assert.notDeepEqual(plain(await client.cached(FAN_OUT)), plain(truth.data));
  });

  test(`${name}: switch of tenant shows the tenant in context, and the first one again`, async () => {
    const clientOf = recipe(demo);
    const [first, second] = demo.customers;
    for (const { id } of [first, second, first]) {
      const { data } = await demo.ask(IN_CONTEXT, id);
      assert.deepEqual(plain(await clientOf(id).ask(IN_CONTEXT)), plain(data));
      assert.deepEqual(plain(await clientOf(id).cached(IN_CONTEXT)), plain(data));
    }
    assert.notEqual(clientOf(first.id), clientOf(second.id));
  });

  test(`${name}: object that a mutation returns is changed everywhere in its cache, and nowhere else`, async () => {
    const client = recipe(demo)();
    const { data } = await demo.ask(FAN_OUT);
    await client.ask(FAN_OUT);
    const [{ deepSecurity }] = data.tenants.tenants;
    const { id } = deepSecurity.computers.nodes[0];
    const [{ id: tenant }] = demo.customers;
    // The tenant is chosen for the call; the object is the same in every cache.
    await recipe(demo)(tenant).mutate(DESCRIBE, { id, text: 'Front of the shop' });
    const { data: changed } = await demo.ask(COMPUTER, undefined, { id });
    assert.deepEqual(plain(await client.refetched(COMPUTER, { id })), plain(changed));
    const seen = plain(await client.cached(FAN_OUT));
    deepSecurity.computers.nodes[0].description = 'Front of the shop';
    assert.deepEqual(seen, plain(data));
  });
}
