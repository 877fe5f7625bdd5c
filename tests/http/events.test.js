// Server-sent events, with the client of the npm package `graphql-sse`.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createClient } from "graphql-sse";
import { code, collect, sleep, start } from "./gateway.js";

const EVENTS = { accept: "text/event-stream" };
let gateway;
before(async () => {
  gateway = await start({ program: "ticks" });
});

const clientOf = (gateway, headers = gateway.headers()) => createClient({ url: gateway.graphql, headers, retryAttempts: 0 });

test("queries and mutations have one result", async () => {
  assert.deepEqual(await collect(clientOf(gateway), "{ __typename }"), [{ data: { __typename: "Query" } }]);
  assert.equal((await collect(clientOf(gateway), "mutation { slow(millis: 1) }")).length, 1);
});

test("request errors are a result", async () => {
  const [result, ...rest] = await collect(clientOf(gateway), "subscription { nothing }");
  assert.deepEqual([code(result), rest], ["GRAPHQL_VALIDATION_FAILED", []]);
  const [panicked] = await collect(clientOf(gateway), "subscription { panics }");
  assert.equal(code(panicked), "INTERNAL_SERVER_ERROR");
});

test("without a token there is no stream", async () => {
  const answer = await fetch(gateway.graphql, { method: "POST", headers: EVENTS, body: "{" });
  assert.equal(answer.status, 401);
  await assert.rejects(collect(clientOf(gateway, {}), "{ __typename }"));
});

test("the stream follows the protocol", async () => {
  const query = encodeURIComponent("subscription { ticks(to: 1, millis: 1) }");
  const answer = await gateway.fetch(`?query=${query}`, { headers: EVENTS });
  assert.equal(answer.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.equal(await answer.text(), 'event: next\ndata: {"data":{"ticks":"1"}}\n\nevent: complete\ndata:\n\n');
});

test("a subscription is refused to a client that accepts JSON only", async () => {
  const answer = await gateway.post({ query: "subscription { ticks(to: 1, millis: 1) }" });
  assert.deepEqual([answer.status, code(await answer.json())], [400, "BAD_REQUEST"]);
  const both = await gateway.post({ query: "subscription { ticks(to: 1, millis: 1) }" }, { accept: "application/json, text/event-stream" });
  assert.match(both.headers.get("content-type"), /event-stream/);
  await both.text();
});

test("an idle stream has a comment every 15 seconds", { timeout: 40_000 }, async () => {
  const answer = await gateway.post({ query: "subscription { ticks(to: 1, millis: 16000) }" }, EVENTS);
  assert.match(await answer.text(), /^:\n\nevent: next\n/);
});

test("the stream waits for a slow reader", async () => {
  const query = "subscription { ticks(to: 100000, millis: 0, bytes: 10000) }";
  const leaving = new AbortController();
  const earlier = gateway.memory;
  const body = JSON.stringify({ query });
  const headers = { "content-type": "application/json", ...EVENTS };
  await gateway.fetch("", { method: "POST", body, headers, signal: leaving.signal });
  await sleep(3000);
  assert.ok(gateway.memory - earlier < 32 * 1024 * 1024, `${gateway.memory - earlier} bytes more`);
  leaving.abort();
});
