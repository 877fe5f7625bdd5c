// WebSocket: the client of the npm package `graphql-ws`, and raw sockets for cases that no client produces.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { code, collect, start, sleep, until } from "./gateway.js";

const ADMINISTRATOR = "ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068";
const AUDITOR = "ace1cae4-59fd-4fd1-9500-40077dc529a7";
const NEW = "graphql-transport-ws";
const OLD = "graphql-ws";
const TICKS = "subscription { ticks(to: 3, millis: 5) }";
const ENDLESS = "subscription { ticks(to: 1000000, millis: 50) }";

/** A raw socket: `heard` collects its messages, `closed` resolves to its close code. */
async function open(gateway, { protocols = [NEW], headers = gateway.headers(), init = true } = {}) {
  const socket = new WebSocket(gateway.socket, protocols, { headers });
  const heard = [];
  const closed = new Promise((resolve) => socket.on("close", (number) => resolve(number)));
  socket.on("message", (text) => heard.push(JSON.parse(text)));
  await new Promise((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
    socket.on("unexpected-response", (_, answer) => reject(Object.assign(new Error("refused"), { status: answer.statusCode })));
  });
  const say = (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message));
  const hears = (type) => until(type, () => heard.find((message) => message.type === type), 5000);
  if (init) {
    say({ type: "connection_init" });
    await hears("connection_ack");
  }
  return { socket, heard, closed, say, hears };
}

/** The gateway's end of the connection from a port: whether it is open, and how many bytes are unread. */
function connection(gateway, port) {
  const from = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = readFileSync(`/proc/${gateway.child.pid}/net/tcp`, "utf8").split("\n").map((line) => line.trim().split(/\s+/));
  const [, , , state, queues] = lines.find(([, , remote]) => remote?.endsWith(from)) ?? [];
  return { open: state === "01", waiting: queues ? parseInt(queues.split(":")[0], 16) : 0 };
}

const subscribe = (query, id = "1") => ({ type: "subscribe", id, payload: { query } });

function clientOf(gateway, options = {}) {
  class Authorized extends WebSocket {
    constructor(address, protocols) {
      super(address, protocols, { headers: options.headers ?? gateway.headers() });
    }
  }
  return createClient({ url: gateway.socket, webSocketImpl: Authorized, retryAttempts: 0, ...options });
}

describe("graphql-ws, the client", () => {
  let gateway;
  before(async () => {
    gateway = await start({ program: "ticks" });
  });

  test("runs queries and mutations", async () => {
    const client = clientOf(gateway);
    assert.deepEqual(await collect(client, "{ __typename }"), [{ data: { __typename: "Query" } }]);
    assert.equal((await collect(client, "mutation { slow(millis: 1) }")).length, 1);
    await client.dispose();
  });

  test("sends its credentials in connection_init, as a browser must", async () => {
    for (const key of ["Authorization", "authorization", "AUTHORIZATION"]) {
      const connectionParams = { [key]: `Bearer ${gateway.token}`, "x-tenant-context": gateway.first.tenantID };
      const client = clientOf(gateway, { headers: {}, connectionParams });
      assert.deepEqual(await collect(client, "{ tenant }"), [{ data: { tenant: gateway.first.tenantID } }]);
      await client.dispose();
    }
  });

  test("is refused without a token, with an invalid one, and in a foreign tenant", async () => {
    const foreign = "5f0c0000-0000-4000-8000-000000000000";
    const good = `Bearer ${gateway.token}`;
    for (const connectionParams of [{}, { Authorization: "Bearer x" }, { Authorization: 1 }, { Authorization: good, "X-Tenant-Context": foreign }]) {
      const client = clientOf(gateway, { headers: {}, connectionParams });
      await assert.rejects(collect(client, "{ __typename }"), (close) => close.code === 4403);
    }
  });

  test("receives errors", async () => {
    const client = clientOf(gateway);
    await assert.rejects(collect(client, "subscription { nothing }"), ([error]) => error.extensions.code === "GRAPHQL_VALIDATION_FAILED" && !!error.extensions.requestId);
    for (const query of ["{ panics }", "subscription { panics }"]) {
      await assert.rejects(collect(client, query), ([error]) => error.extensions.code === "INTERNAL_SERVER_ERROR");
    }
    assert.deepEqual(await collect(client, "{ __typename }"), [{ data: { __typename: "Query" } }]);
    await client.dispose();
  });

  test("stops a subscription", async () => {
    const client = clientOf(gateway);
    const stream = client.iterate({ query: ENDLESS });
    assert.equal((await stream.next()).value.data.ticks, "1");
    await stream.return();
    assert.deepEqual(await collect(client, "{ __typename }"), [{ data: { __typename: "Query" } }]);
    await client.dispose();
  });
});

describe("the socket", () => {
  let gateway;
  before(async () => {
    gateway = await start({ program: "ticks", settings: { "limits.connection_init": "500ms", "limits.subscriptions": 5 } });
  });

  const refused = async (options) => {
    const failed = await open(gateway, { init: false, ...options }).then(() => ({ status: 101 }), (error) => error);
    return failed.status;
  };

  test("opens with a known subprotocol and valid credentials", async () => {
    assert.equal(await refused({ headers: { authorization: "Bearer x" } }), 401);
    assert.equal(await refused({ headers: gateway.headers({ "x-tenant-context": "x" }) }), 403);
    assert.equal(await refused({ protocols: ["mqtt"] }), 400);
    assert.equal(await refused({ protocols: [] }), 400);
  });

  test("accepts credentials among the subprotocols and does not echo them", async () => {
    const protocols = [OLD, `access-token-${gateway.token}`, `x-tenant-context-${gateway.first.tenantID}`];
    for (const headers of [{}, gateway.headers({ "x-tenant-context": gateway.first.tenantID })]) {
      const { socket, say, hears } = await open(gateway, { protocols, headers });
      assert.equal(socket.protocol, OLD);
      say({ type: "start", id: "1", payload: { query: "{ tenant }" } });
      assert.deepEqual((await hears("data")).payload, { data: { tenant: gateway.first.tenantID } });
      await hears("complete");
      socket.close();
    }
    assert.equal(await refused({ protocols: [OLD, "access-token-other"], headers: gateway.headers() }), 400);
    assert.equal(await refused({ protocols: [OLD, "x-tenant-context-1"], headers: gateway.headers({ "x-tenant-context": "2" }) }), 400);
  });

  test("speaks the older protocol", async () => {
    const { say, heard, hears, closed } = await open(gateway, { protocols: [OLD] });
    say({ type: "start", id: "1", payload: { query: TICKS } });
    await hears("complete");
    assert.deepEqual(heard.filter(({ type }) => type === "data").map(({ payload }) => payload.data.ticks), ["1", "2", "3"]);
    say({ type: "start", id: "2", payload: { query: "{ nothing }" } });
    const failed = await until("errors", () => heard.find(({ id }) => id === "2"));
    assert.deepEqual([failed.type, code(failed.payload)], ["data", "GRAPHQL_VALIDATION_FAILED"]);
    say({ type: "connection_terminate" });
    assert.equal(await closed, 1000);
  });

  test("replaces a running operation of the same id in the older protocol", async () => {
    const { say, heard, hears, socket } = await open(gateway, { protocols: [OLD] });
    const started = (query) => ({ type: "start", id: "1", payload: { query } });
    say(started(ENDLESS));
    await hears("data");
    say(started("{ __typename }"));
    await hears("complete");
    assert.deepEqual(heard.at(-2).payload, { data: { __typename: "Query" } });
    const before = heard.length;
    say({ type: "start", id: "2", payload: { query: "{ __typename }" } });
    await until("the next one", () => heard.find(({ type, id }) => type === "complete" && id === "2"));
    assert.ok(heard.slice(before).every(({ id }) => id === "2"), "the former one has stopped");
    socket.close();
  });

  test("sends connection_error in the older protocol", async () => {
    const { say, hears, closed } = await open(gateway, { protocols: [OLD], headers: {}, init: false });
    say({ type: "connection_init", payload: {} });
    assert.equal((await hears("connection_error")).payload.extensions.code, "UNAUTHENTICATED");
    assert.equal(await closed, 4403);
  });

  test("closes with the codes of the protocol", async () => {
    const closes = async (messages, options) => {
      const { say, closed } = await open(gateway, options);
      messages.forEach(say);
      return closed;
    };
    const init = { type: "connection_init" };
    assert.equal(await closes([], { init: false }), 4408);
    assert.equal(await closes([], { init: false, headers: {} }), 4408);
    assert.equal(await closes([subscribe(TICKS)], { init: false }), 4401);
    assert.equal(await closes([subscribe(TICKS)], { init: false, headers: {} }), 4401);
    assert.equal(await closes([init]), 4429);
    assert.equal(await closes([subscribe(ENDLESS), subscribe(ENDLESS)]), 4409);
    for (const bad of ["", "x", "[]", { type: "start", id: "1", payload: { query: "{a}" } }, { type: "subscribe", id: "1" }, `{"type":"ping","payload":${"[".repeat(100)}${"]".repeat(100)}}`]) {
      assert.equal(await closes([bad]), 4400, JSON.stringify(bad));
      assert.equal(await closes([bad], { init: false, headers: {} }), 4400, JSON.stringify(bad));
    }
    const { socket, closed } = await open(gateway);
    socket.send(Buffer.from([1, 2, 3]));
    assert.equal(await closed, 4400);
  });

  test("answers a ping", async () => {
    const { say, hears, socket } = await open(gateway);
    say({ type: "ping", payload: { at: 1 } });
    assert.deepEqual(await hears("pong"), { type: "pong", payload: { at: 1 } });
    socket.close();
  });

  test("limits the number of operations", async () => {
    const { say, hears, heard, socket } = await open(gateway);
    for (let n = 0; n < 6; n++) say(subscribe(ENDLESS, `${n}`));
    const refused = await hears("error");
    const { limit, value, maximum } = refused.payload[0].extensions;
    assert.deepEqual([refused.id, limit, value, maximum], ["5", "subscriptions", 6, 5]);
    say({ type: "complete", id: "0" });
    say(subscribe("{ __typename }", "6"));
    await until("the next one", () => heard.find(({ type, id }) => type === "complete" && id === "6"));
    socket.close();
  });

  test("allows an id to be reused", async () => {
    const { say, heard, hears, socket } = await open(gateway);
    for (let n = 0; n < 20; n++) {
      say(subscribe("subscription { ticks(to: 1000000, millis: 1) }"));
      await sleep(3);
      say({ type: "complete", id: "1" });
    }
    heard.length = 0;
    say(subscribe("{ __typename }"));
    await hears("complete");
    assert.deepEqual(heard.filter(({ type }) => type === "next").at(-1).payload, { data: { __typename: "Query" } });
    socket.close();
  });

  test("closes on messages that are too large", async () => {
    const { say, closed } = await open(gateway);
    say(subscribe(`{ a } # ${"x".repeat(300_000)}`));
    assert.ok([1006, 1009].includes(await closed));
    assert.deepEqual(await gateway.ask("{ __typename }"), { data: { __typename: "Query" } });
  });

  test("waits for a slow reader within bounded memory", async () => {
    const { socket, say } = await open(gateway);
    const earlier = gateway.memory;
    socket._socket.pause();
    say(subscribe("subscription { ticks(to: 1000000, millis: 0, bytes: 10000) }"));
    await sleep(3000);
    assert.ok(gateway.memory - earlier < 32 * 1024 * 1024, `${gateway.memory - earlier} bytes more`);
    socket.terminate();
  });
});

describe("a stream ends", () => {
  test("when its token expires: 4403, and an error event", { timeout: 30_000 }, async () => {
    const gateway = await start({ program: "ticks" });
    const { say, hears, closed } = await open(gateway);
    say(subscribe(ENDLESS));
    await hears("next");
    const quiet = await open(gateway);
    const body = JSON.stringify({ query: ENDLESS });
    const events = await gateway.fetch("", { method: "POST", body, headers: { "content-type": "application/json", accept: "text/event-stream" } });
    await gateway.ask("mutation { advance(seconds: 3599) }");
    await gateway.ask("mutation { advance(seconds: 2) }");
    const started = Date.now();
    assert.deepEqual([await closed, await quiet.closed], [4403, 4403]);
    const text = await events.text();
    const [last, complete] = text.trimEnd().split("\n\n").slice(-2);
    assert.equal(code(JSON.parse(/data: (.*)/.exec(last)[1])), "UNAUTHENTICATED");
    assert.equal(complete, "event: complete\ndata:");
    assert.ok(Date.now() - started < 5000);
  });

  test("when its token expires, also for a client that reads nothing", { timeout: 30_000 }, async () => {
    const gateway = await start({ program: "ticks" });
    const deaf = await open(gateway);
    deaf.say(subscribe("subscription { ticks(to: 1000000, millis: 0, bytes: 10000) }"));
    await deaf.hears("next");
    deaf.socket._socket.pause();
    const seen = [];
    await until("the socket to be full", () => {
      seen.push(connection(gateway, deaf.socket._socket.localPort).waiting);
      return seen.at(-1) > 0 && seen.length > 25 && seen.slice(-25).every((waiting) => waiting === seen.at(-1));
    });
    await gateway.ask("mutation { advance(seconds: 3601) }");
    await until("the end of the socket", () => !connection(gateway, deaf.socket._socket.localPort).open, 5000);
    deaf.socket.terminate();
  });

  test("when its client is deleted: 4403 within 5 seconds", { timeout: 30_000 }, async () => {
    const gateway = await start({ program: "ticks" });
    const { say, hears, closed } = await open(gateway);
    say(subscribe(ENDLESS));
    await hears("next");
    const quiet = await open(gateway, { protocols: [OLD] });
    await gateway.run("client", "delete", gateway.first.clientID);
    const started = Date.now();
    assert.deepEqual([await closed, await quiet.closed], [4403, 4403]);
    assert.ok(Date.now() - started < 5000, `${Date.now() - started} ms`);
  });

  test("when its token is revoked, its role removed or its tenant disabled: 4403 within 5 seconds", { timeout: 60_000 }, async () => {
    const gateway = await start();
    const data = async (query, variables, headers) => {
      const answer = await gateway.ask(query, variables, headers);
      assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
      return Object.values(answer.data)[0];
    };
    const tenant = (await data('mutation { createTenant(newTenant: { name: "Customer" }) { id } }')).id;
    const within = { "x-tenant-context": tenant };
    const create = "mutation ($roles: [ID!]) { createClient(name: \"watcher\", roles: $roles) { client { id clientID } clientSecret } }";
    const watcher = async () => {
      const { client, clientSecret } = await data(create, { roles: [ADMINISTRATOR, AUDITOR] }, within);
      const token = await gateway.tokenOf(client.clientID, clientSecret);
      const { closed } = await open(gateway, { headers: { authorization: `Bearer ${token}` } });
      return { ...client, clientSecret, token, closed };
    };
    const ends = async ({ closed }, name, withdraw) => {
      await withdraw();
      const started = Date.now();
      assert.equal(await closed, 4403, name);
      assert.ok(Date.now() - started < 5000, `${name}: ${Date.now() - started} ms`);
    };
    const [revoked, weaker, disabled, closedOut] = await Promise.all([watcher(), watcher(), watcher(), watcher()]);
    await ends(revoked, "revoked", async () => {
      const basic = Buffer.from(`${revoked.clientID}:${revoked.clientSecret}`).toString("base64");
      const headers = { authorization: `Basic ${basic}`, "content-type": "application/x-www-form-urlencoded" };
      const answer = await fetch(`${gateway.url}/oauth2/revoke`, { method: "POST", headers, body: `token=${revoked.token}` });
      assert.equal(answer.status, 200);
    });
    // As an auditor the caller still has access, but the streams were opened as an administrator.
    await ends(weaker, "a role less", () =>
      data("mutation ($id: ID!, $roles: [ID!]!) { removeClientRoles(id: $id, roles: $roles) { id } }", { id: weaker.id, roles: [ADMINISTRATOR] }, within),
    );
    await ends(disabled, "disabled", () => data("mutation ($id: ID!) { updateClient(id: $id, input: { enabled: false }) { id } }", { id: disabled.id }, within));
    await ends(closedOut, "the tenant disabled", () =>
      data("mutation ($id: ID!) { updateTenant(tenantID: $id, tenantUpdate: { enabled: false }) { id } }", { id: tenant }),
    );
    const log = "query ($actor: String) { auditLog(actor: $actor, operation: \"stream\") { nodes { code outcome tenantID } } }";
    for (const [{ id }, code] of [[revoked, "UNAUTHENTICATED"], [weaker, "FORBIDDEN"], [disabled, "UNAUTHENTICATED"], [closedOut, "UNAUTHENTICATED"]]) {
      const records = await until("a record", async () => {
        const { nodes } = await data(log, { actor: id });
        return nodes.length > 0 && nodes;
      });
      assert.deepEqual(records, [{ code, outcome: "REFUSED", tenantID: tenant }]);
    }
  });

  test("at shutdown: 1001 within 4 seconds, also for clients that read nothing", { timeout: 60_000 }, async () => {
    const gateway = await start({ program: "ticks" });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(gateway)));
    sockets.forEach(({ say }) => say(subscribe(ENDLESS)));
    const deaf = await open(gateway);
    deaf.say(subscribe("subscription { ticks(to: 1000000, millis: 0, bytes: 10000) }"));
    deaf.socket._socket.pause();
    const events = await gateway.post({ query: ENDLESS }, { accept: "text/event-stream" });
    await sleep(500);
    const started = Date.now();
    gateway.child.kill("SIGTERM");
    assert.deepEqual(new Set(await Promise.all(sockets.map(({ closed }) => closed))), new Set([1001]));
    assert.ok(!(await events.text()).includes("event: complete"));
    const [exit] = await gateway.gone;
    const took = Date.now() - started;
    assert.equal(exit, 0);
    assert.ok(took < 6000, `${took} ms`);
    deaf.socket.terminate();
  });
});

test("a thousand subscriptions use bounded memory", { timeout: 120_000 }, async () => {
  const gateway = await start({ program: "ticks", settings: { "rate_limit.client_per_second": 0, "rate_limit.tenant_per_second": 0, "budget.connections_per_address": 2000, "budget.sockets_per_address": 100 } });
  const earlier = gateway.memory;
  const sockets = [];
  for (let n = 0; n < 20; n++) sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => open(gateway)))));
  sockets.forEach(({ say }) => say(subscribe("subscription { ticks(to: 1000, millis: 1000) }")));
  await Promise.all(sockets.map(({ hears }) => hears("next")));
  const each = (gateway.memory - earlier) / sockets.length;
  console.log(`memory of a socket with a subscription: ${Math.round(each / 1024)} KiB`);
  assert.ok(each < 100 * 1024, `${each} bytes each`);
  gateway.child.kill("SIGTERM");
  const started = Date.now();
  assert.deepEqual(new Set(await Promise.all(sockets.map(({ closed }) => closed))), new Set([1001]));
  assert.ok(Date.now() - started < 4000, `${Date.now() - started} ms`);
});
