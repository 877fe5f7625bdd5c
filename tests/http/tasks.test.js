// A task of the Integration Server, watched in the demo to its end by common clients, and by a raw socket as the Taegis
// SDK does.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { createClient as createEventsClient } from "graphql-sse";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { code, collect, start } from "./gateway.js";

const BEGIN = "mutation { createIntegrationServerReport { id state } }";
const ENDS = ["COMPLETED", "FAILED", "CANCELED"];
const FIELDS = ["state", "progress", "stage", "changed", "id", "error", "result"];
const watch = (id) =>
  `subscription { integrationServerTask(id: "${id}") { state progress stage changed id error { code } result { __typename } } }`;

let gateway;
let contoso;
let fabrikam;
before(async () => {
  gateway = await start({ program: "demo", name: "tasks" });
  [contoso, fabrikam] = gateway.first.customers.map(({ id }) => id);
});

const begin = async (tenant) => {
  const { data } = await gateway.ask(BEGIN, {}, { "x-tenant-context": tenant });
  return data.createIntegrationServerReport.id;
};

/** The older protocol over a raw socket: no maintained client exists. Ends with the `complete` of the operation. */
function watchByOldProtocol(tenant, query) {
  const protocols = ["graphql-ws", `access-token-${gateway.token}`, `x-tenant-context-${tenant}`];
  const socket = new WebSocket(gateway.socket, protocols);
  const results = [];
  socket.on("open", () => {
    socket.send(JSON.stringify({ type: "connection_init", payload: {} }));
    socket.send(JSON.stringify({ type: "start", id: "1", payload: { query } }));
  });
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", (number) => reject(new Error(`closed with ${number}`)));
    socket.on("message", (text) => {
      const { type, payload } = JSON.parse(text);
      if (type === "data" || type === "error") results.push(payload);
      if (type === "complete") {
        resolve(results);
        socket.close();
      }
    });
  });
}

const transports = {
  "graphql-ws": async (tenant, query) => {
    const connectionParams = { Authorization: `Bearer ${gateway.token}`, "X-Tenant-Context": tenant };
    const client = createClient({ url: gateway.socket, webSocketImpl: WebSocket, retryAttempts: 0, connectionParams });
    // Request errors are thrown, as a list.
    const results = await collect(client, query).catch((errors) => [{ errors }]);
    await client.dispose();
    return results;
  },
  "graphql-sse": (tenant, query) => {
    const headers = gateway.headers({ "x-tenant-context": tenant });
    return collect(createEventsClient({ url: gateway.graphql, headers, retryAttempts: 0 }), query);
  },
  "the older graphql-ws": watchByOldProtocol,
};

describe("a task", () => {
  let id;
  let heard;
  before(async () => {
    id = await begin(contoso);
    // Concurrently: one poller serves all of them.
    const watching = Object.entries(transports).map(async ([name, watched]) => [name, await watched(contoso, watch(id))]);
    heard = Object.fromEntries(await Promise.all(watching));
  });

  for (const name of Object.keys(transports)) {
    test(`is watched by ${name}: its present state, each change, and the end twice`, () => {
      assert.ok(heard[name].every(({ errors }) => !errors), JSON.stringify(heard[name]));
      const events = heard[name].map(({ data }) => data.integrationServerTask);
      assert.ok(!ENDS.includes(events[0].state), "it began before its end");
      assert.deepEqual(Object.keys(events[0]), FIELDS, "in the order that was asked for");
      const last = events.pop();
      assert.deepEqual(last, events.at(-1));
      assert.deepEqual([last.id, last.state, last.progress, last.result.__typename], [id, "COMPLETED", 100, "IntegrationServerReport"]);
      assert.ok(events.length >= 3, `more than its two ends: ${JSON.stringify(events)}`);
      events.slice(1).forEach((event, n) => assert.notDeepEqual(event, events[n], "each event is a change"));
      assert.equal(events.filter(({ state }) => ENDS.includes(state)).length, 1);
    });

    test(`that has ended is told at once by ${name}, twice`, async () => {
      const events = await transports[name](contoso, watch(id));
      assert.deepEqual(events.map(({ data }) => data.integrationServerTask.state), ["COMPLETED", "COMPLETED"]);
    });

    test(`of another tenant is told by ${name} like one that does not exist`, async () => {
      const refusals = [];
      for (const asked of [id, "5f0c0000-0000-4000-8000-000000000000"]) {
        const [result, ...rest] = await transports[name](fabrikam, watch(asked));
        assert.deepEqual([code(result), rest], ["NOT_FOUND", []]);
        refusals.push(result.errors[0].message.replace(asked, ""));
      }
      assert.equal(refusals[0], refusals[1]);
    });
  }
});
