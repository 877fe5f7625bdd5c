// Persisted and trusted documents.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { code, start } from "./gateway.js";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const persisted = (text) => ({ persistedQuery: { version: 1, sha256Hash: sha256(text) } });

describe("automatic persisted queries", () => {
  let gateway;
  before(async () => {
    gateway = await start();
  });

  test("a known document can be named by its hash", async () => {
    const query = "query Persisted { __typename }";
    const unknown = await (await gateway.post({ extensions: persisted(query) })).json();
    assert.deepEqual([code(unknown), unknown.errors[0].message], ["PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"]);
    const registered = await (await gateway.post({ query, extensions: persisted(query) })).json();
    assert.deepEqual(registered.data, { __typename: "Query" });
    assert.deepEqual((await (await gateway.post({ extensions: persisted(query) })).json()).data, { __typename: "Query" });
    const url = `?extensions=${encodeURIComponent(JSON.stringify(persisted(query)))}`;
    assert.deepEqual((await (await gateway.fetch(url)).json()).data, { __typename: "Query" });
    const byID = await gateway.post({ documentId: `sha256:${sha256(query)}` });
    assert.deepEqual((await byID.json()).data, { __typename: "Query" });
  });

  test("the hash of another document is refused", async () => {
    const answer = await gateway.post({ query: "{ __typename }", extensions: persisted("{ other }") });
    assert.equal(code(await answer.json()), "BAD_REQUEST");
    const malformed = await gateway.post({ extensions: { persistedQuery: { version: 1, sha256Hash: "abc" } } });
    assert.equal(code(await malformed.json()), "BAD_REQUEST");
  });

  test("an invalid document is not registered, and a too costly one is refused each time", async () => {
    const invalid = "{ nothing }";
    assert.equal(code(await (await gateway.post({ query: invalid, extensions: persisted(invalid) })).json()), "GRAPHQL_VALIDATION_FAILED");
    assert.equal(code(await (await gateway.post({ extensions: persisted(invalid) })).json()), "PERSISTED_QUERY_NOT_FOUND");
    // Valid, but its cost may depend on the variables of each request.
    const costly = `{ ${Array.from({ length: 31 }, (_, n) => `a${n}: __typename`).join(" ")} }`;
    assert.equal(code(await (await gateway.post({ query: costly, extensions: persisted(costly) })).json()), "OPERATION_TOO_COSTLY");
    assert.equal(code(await (await gateway.post({ extensions: persisted(costly) })).json()), "OPERATION_TOO_COSTLY");
  });

  test("the cache of documents is bounded", async () => {
    const earlier = gateway.memory;
    const padding = "x".repeat(60_000);
    for (let n = 0; n < 60; n++) {
      const queries = Array.from({ length: 10 }, (_, m) => `query Q${n}_${m} { __typename } # ${padding}`);
      await Promise.all(queries.map(async (query) => (await gateway.post({ query, extensions: persisted(query) })).text()));
    }
    assert.ok(gateway.memory - earlier < 64 * 1024 * 1024, `${gateway.memory - earlier} bytes more`);
  });
});

describe("trusted documents", () => {
  const folder = mkdtempSync(join(tmpdir(), "tenant-gateway-trusted-"));
  const file = join(folder, "documents.json");
  const trusted = "query Trusted { __typename }";
  const other = "query Other { __typename }";
  after(() => rmSync(folder, { recursive: true }));
  const given = (mode) => ({ "graphql.trusted_documents": file, "graphql.trusted_documents_mode": mode });

  test("only: other documents are refused, by text and by hash", async () => {
    writeFileSync(file, JSON.stringify({ [sha256(trusted)]: trusted }));
    const gateway = await start({ settings: given("only") });
    const fate = async (body) => {
      const answer = await gateway.post(body);
      const json = await answer.json();
      return json.errors ? [answer.status, code(json)] : json.data.__typename;
    };
    assert.equal(await fate({ query: trusted }), "Query");
    assert.equal(await fate({ extensions: persisted(trusted) }), "Query");
    assert.deepEqual(await fate({ query: other }), [403, "FORBIDDEN"]);
    assert.deepEqual(await fate({ query: "{ __schema { types { name } } }" }), [403, "FORBIDDEN"]);
    assert.deepEqual(await fate({ query: other, extensions: persisted(other) }), [403, "FORBIDDEN"]);
    assert.deepEqual(await fate({ extensions: persisted(other) }), [200, "PERSISTED_QUERY_NOT_FOUND"]);
  });

  test("warn: other documents are executed", async () => {
    writeFileSync(file, JSON.stringify({ documents: { [sha256(trusted)]: trusted } }));
    const gateway = await start({ settings: given("warn") });
    assert.deepEqual((await gateway.ask(other)).data, { __typename: "Query" });
  });

  test("an invalid file keeps the gateway from starting", async () => {
    writeFileSync(file, JSON.stringify({ [sha256(trusted)]: other }));
    await assert.rejects(start({ settings: given("only") }));
  });
});
