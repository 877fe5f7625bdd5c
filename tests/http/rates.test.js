// Rate limits and web origins.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import WebSocket from "ws";
import { code, start } from "./gateway.js";

const ask = { query: "{ __typename }" };

describe("rate limits", () => {
  test("of a client: 429 with Retry-After in whole seconds and RateLimit headers", async () => {
    const gateway = await start({ settings: { "rate_limit.client_per_second": 1, "rate_limit.client_burst": 5 } });
    const answers = await Promise.all(Array.from({ length: 12 }, () => gateway.post(ask)));
    const refused = answers.filter((answer) => answer.status === 429);
    assert.ok(refused.length >= 6, `${refused.length}`);
    const [first] = refused;
    assert.match(first.headers.get("retry-after"), /^[1-9]\d*$/);
    assert.match(first.headers.get("ratelimit"), /^"client";r=0;t=\d+/);
    const body = await first.json();
    assert.deepEqual([code(body), body.errors[0].extensions.retryable], ["RATE_LIMITED", true]);
    // The requests arrive in any order.
    const served = answers.find((answer) => answer.status === 200);
    assert.equal(served.headers.get("ratelimit-policy"), '"client";q=5;w=5, "tenant";q=1000;w=5');
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(first.headers.get("retry-after")) + 200));
    assert.equal((await gateway.post(ask)).status, 200);
  });

  test("of a tenant count all clients in it", async () => {
    const gateway = await start({
      settings: { "rate_limit.client_per_second": 0, "rate_limit.tenant_per_second": 1, "rate_limit.tenant_burst": 3 },
    });
    const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await gateway.post(ask)).status));
    assert.deepEqual([...new Set(statuses)].sort(), [200, 429]);
    const made = { "content-type": "application/json", "X-Tenant-Context": "5f0c0000-0000-4000-8000-000000000000" };
    assert.equal((await gateway.post(ask, made)).status, 403, "another tenant is another bucket");
  });

  test("of 0 are no limit", async () => {
    const gateway = await start({ settings: { "rate_limit.client_per_second": 0, "rate_limit.tenant_per_second": 0 } });
    const answer = await gateway.post(ask);
    assert.deepEqual([answer.status, answer.headers.get("ratelimit")], [200, null]);
  });

  test("count the operations of a socket", async () => {
    const gateway = await start({ settings: { "rate_limit.client_per_second": 1, "rate_limit.client_burst": 4 } });
    const socket = new WebSocket(gateway.socket, "graphql-transport-ws", { headers: gateway.headers() });
    const said = [];
    socket.on("message", (text) => said.push(JSON.parse(text)));
    await new Promise((resolve) => socket.on("open", resolve));
    socket.send(JSON.stringify({ type: "connection_init" }));
    for (let n = 0; n < 8; n++) socket.send(JSON.stringify({ type: "subscribe", id: `${n}`, payload: ask }));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const refused = said.filter(({ type }) => type === "error");
    assert.ok(refused.length >= 4, JSON.stringify(said));
    assert.equal(refused[0].payload[0].extensions.code, "RATE_LIMITED");
    socket.close();
  });
});

describe("pages of other origins", () => {
  const allowed = "https://console.example";
  let closed;
  let open;
  before(async () => {
    closed = await start();
    open = await start({ settings: { "cors.allowed_origins": JSON.stringify([allowed]) } });
  });
  const preflight = (gateway, origin) =>
    fetch(gateway.graphql, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" },
    });

  test("are not allowed by default", async () => {
    for (const origin of [allowed, "null", closed.url]) {
      for (const answer of [await preflight(closed, origin), await closed.post(ask, { origin })]) {
        assert.deepEqual([...answer.headers.keys()].filter((name) => name.startsWith("access-control")), []);
      }
    }
  });

  test("are allowed by exact origin, without cookies", async () => {
    const answer = await preflight(open, allowed);
    assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [204, allowed]);
    assert.match(answer.headers.get("access-control-allow-headers"), /authorization.*x-tenant-context/);
    assert.equal(answer.headers.get("access-control-allow-credentials"), null);
    const posted = await open.post(ask, { origin: allowed });
    assert.equal(posted.headers.get("access-control-allow-origin"), allowed);
    assert.match(posted.headers.get("vary"), /Authorization, X-Tenant-Context, Accept.*origin/);
    for (const origin of ["null", "*", "https://console.example.evil", "http://console.example", `${allowed}:444`]) {
      for (const refused of [await preflight(open, origin), await open.post(ask, { origin })]) {
        assert.equal(refused.headers.get("access-control-allow-origin"), null);
        assert.match(refused.headers.get("vary"), /origin/);
      }
    }
  });

  test("may open sockets if they are allowed", async () => {
    const opened = (gateway, origin) =>
      new Promise((resolve) => {
        const socket = new WebSocket(gateway.socket, "graphql-transport-ws", { origin, headers: gateway.headers() });
        socket.on("open", () => (socket.close(), resolve(101)));
        socket.on("unexpected-response", (_, answer) => resolve(answer.statusCode));
      });
    assert.equal(await opened(open, allowed), 101);
    assert.equal(await opened(open, open.url), 101);
    assert.equal(await opened(open, "https://evil.example"), 403);
    assert.equal(await opened(open, "null"), 403);
    assert.equal(await opened(closed, "https://any.example"), 101);
  });

  test("cannot be configured as * or null", async () => {
    for (const origin of ["*", "null", "https://a.example/path"]) {
      await assert.rejects(start({ settings: { "cors.allowed_origins": JSON.stringify([origin]) } }));
    }
  });
});
