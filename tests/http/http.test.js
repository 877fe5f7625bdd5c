// POST, GET and other methods.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { getIntrospectionQuery } from "graphql";
import { code, start, until } from "./gateway.js";

const NEW = "application/graphql-response+json";
const TYPENAME = `?query=${encodeURIComponent("{ __typename }")}`;
const MUTATION = 'mutation { createClient(name: "made") { client { id } clientSecret } }';

describe("over HTTP", () => {
  let gateway;
  before(async () => {
    gateway = await start();
  });

  test("the caller is authenticated before the request is read", async () => {
    const bodies = ["{ __typename }", "{ madeUp }", "{", "{ __schema { types { name } } }", "[".repeat(20_000)];
    const learnt = new Set();
    const learn = async (answer) => {
      const { errors } = await answer.json();
      delete errors[0].extensions.requestId;
      learnt.add(JSON.stringify([answer.status, errors, [...answer.headers.keys()].sort()]));
    };
    for (const query of bodies) {
      for (const headers of [{}, { authorization: "Bearer x" }, { authorization: "Basic eDp5" }]) {
        const json = { "content-type": "application/json", ...headers };
        await learn(await fetch(gateway.graphql, { method: "POST", headers: json, body: JSON.stringify({ query }) }));
        await learn(await fetch(`${gateway.graphql}?query=${encodeURIComponent(query.slice(0, 2000))}`, { headers }));
        await learn(await fetch(gateway.graphql, { method: "POST", headers: { ...headers, "content-type": "text/plain" }, body: query }));
        await learn(await fetch(gateway.graphql, { method: "PUT", headers }));
      }
    }
    assert.equal(learnt.size, 1, [...learnt].join("\n"));
    assert.match([...learnt][0], /^\[401,.*UNAUTHENTICATED/);
  });

  test("unsupported methods are refused with Allow", async () => {
    for (const method of ["PUT", "PATCH", "DELETE"]) {
      const answer = await gateway.fetch("", { method });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD, OPTIONS, POST"]);
      assert.equal(code(await answer.json()), "BAD_REQUEST");
    }
    const options = await fetch(gateway.graphql, { method: "OPTIONS" });
    assert.deepEqual([options.status, options.headers.get("allow"), await options.text()], [204, "GET, HEAD, OPTIONS, POST", ""]);
  });

  test("HEAD is GET without a body", async () => {
    const [head, get] = [await gateway.fetch(TYPENAME, { method: "HEAD" }), await gateway.fetch(TYPENAME)];
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    assert.equal(head.headers.get("content-length"), get.headers.get("content-length"));
    assert.equal(head.headers.get("content-type"), get.headers.get("content-type"));
  });

  test("a mutation by GET is refused and not executed", async () => {
    for (const accept of ["*/*", NEW, "text/event-stream"]) {
      const answer = await gateway.fetch(`?query=${encodeURIComponent(MUTATION)}`, { headers: { accept } });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"]);
    }
    const two = encodeURIComponent(`query A { __typename } ${MUTATION.replace("mutation", "mutation B")}`);
    assert.equal((await gateway.fetch(`?query=${two}&operationName=B`)).status, 405);
    assert.equal((await gateway.fetch(`?query=${two}&operationName=A`)).status, 200);
    assert.deepEqual((await gateway.ask("{ clientsSearch(filters: { name: \"made\" }) { totalCount } }")).data.clientsSearch.totalCount, 0);
  });

  test("the preferred media type is used", async () => {
    const of = async (accept) => {
      const answer = await gateway.post({ query: "{ __typename }" }, { accept });
      return [answer.status, answer.headers.get("content-type")];
    };
    for (const accept of [NEW, `${NEW}, application/json`, `application/json;q=0.9, ${NEW}`]) {
      assert.deepEqual(await of(accept), [200, `${NEW}; charset=utf-8`]);
    }
    for (const accept of ["application/json", "*/*", "application/*", `${NEW};q=0.1, application/json`, `${NEW};q=0, */*`]) {
      assert.deepEqual(await of(accept), [200, "application/json; charset=utf-8"], accept);
    }
    for (const accept of ["text/html", "application/json;q=0", "image/*"]) assert.equal((await of(accept))[0], 406);
  });

  test("errors have the negotiated media type and its status", async () => {
    const of = async (body, accept) => {
      const answer = await gateway.post(body, { accept });
      assert.match(answer.headers.get("content-type"), accept === NEW ? /graphql-response/ : /^application\/json/);
      const json = await answer.json();
      assert.ok(!("data" in json));
      return [answer.status, code(json)];
    };
    for (const [query, expected] of [
      ["{", "GRAPHQL_PARSE_FAILED"],
      ["{ nothing }", "GRAPHQL_VALIDATION_FAILED"],
      ["{ ...f } fragment f on Query { ...f }", "GRAPHQL_VALIDATION_FAILED"],
      ["query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"],
      [`{ ${Array.from({ length: 31 }, (_, n) => `a${n}: __typename`).join(" ")} }`, "OPERATION_TOO_COSTLY"],
    ]) {
      assert.deepEqual(await of({ query }, NEW), [400, expected]);
      assert.deepEqual(await of({ query }, "application/json"), [200, expected]);
    }
    for (const malformed of ["", "x", "[]", "[1]", "{}", '{"query":1}', '{"query":"{a}","query":"{b}"}']) {
      assert.deepEqual(await of(malformed, NEW), [400, "BAD_REQUEST"], malformed);
      assert.deepEqual(await of(malformed, "application/json"), [400, "BAD_REQUEST"], malformed);
    }
  });

  test("media types of simple requests are refused", async () => {
    const body = JSON.stringify({ query: "{ __typename }" });
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16"]) {
      assert.equal((await gateway.post(body, { "content-type": type })).status, 415);
    }
  });

  test("sizes are limited", async () => {
    assert.equal((await gateway.post({ query: "{ __typename }", extensions: { x: "x".repeat(256 * 1024) } })).status, 413);
    assert.equal((await gateway.fetch(`${TYPENAME}&x=${"x".repeat(8 * 1024)}`)).status, 414);
    assert.equal((await gateway.post(`{"query":"{ __typename }","variables":{"a":${"[".repeat(64)}${"]".repeat(64)}}}`)).status, 400);
  });

  test("GET reads variables and operationName", async () => {
    const query = encodeURIComponent("query A($n: String!) { __type(name: $n) { name } } query B { __typename }");
    const variables = encodeURIComponent(JSON.stringify({ n: "Client" }));
    const answer = await gateway.fetch(`?query=${query}&operationName=A&variables=${variables}`);
    assert.deepEqual((await answer.json()).data, { __type: { name: "Client" } });
    for (const wrong of ["&variables=1", "&variables=x", "&extensions=[]", "&query=x"]) {
      assert.equal((await gateway.fetch(`?query=${query}&operationName=B${wrong}`)).status, 400, wrong);
    }
    assert.equal((await gateway.fetch("?operationName=A")).status, 400);
  });

  test("tools can introspect the schema", async () => {
    const options = { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true };
    for (const query of [getIntrospectionQuery(), getIntrospectionQuery(options), "{ __schema { queryType { name } } __typename }"]) {
      const answer = await gateway.ask(query);
      assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
    }
  });

  test("the cost is reported on request", async () => {
    const query = "{ a: __typename ...f } fragment f on Query { clientsSearch { totalCount } }";
    assert.deepEqual((await gateway.ask(query, {}, { "x-query-cost": "1" })).extensions, {
      cost: { fields: 3, upstreamCalls: 0, tenants: 1 },
    });
    assert.equal((await gateway.ask(query)).extensions, undefined);
  });

  test("batching is disabled by default", async () => {
    const answer = await gateway.post([{ query: "{ __typename }" }]);
    assert.deepEqual([answer.status, code(await answer.json())], [400, "BAD_REQUEST"]);
  });
});

describe("with batching", () => {
  let gateway;
  before(async () => {
    gateway = await start({ settings: { "graphql.batching": true } });
  });
  const post = async (batch) => {
    const answer = await gateway.post(batch);
    return [answer.status, await answer.json()];
  };

  test("each operation has its own result, in order", async () => {
    const [status, answers] = await post([{ query: "{ __typename }" }, { query: "{ nothing }" }, { query: "mutation { __typename }" }]);
    assert.equal(status, 200);
    assert.deepEqual([answers[0].data, code(answers[1]), answers[2].data], [{ __typename: "Query" }, "GRAPHQL_VALIDATION_FAILED", { __typename: "Mutation" }]);
  });

  test("limits apply to the sum", async () => {
    const batch = (size, query) => Array.from({ length: size }, () => ({ query }));
    assert.equal((await post(batch(10, "{ __typename }")))[1].length, 10);
    const aliases = (field) => Array.from({ length: 16 }, (_, n) => `a${n}: ${field}`).join(" ");
    const told = async (batch) => (await post(batch))[1].errors[0].extensions.limit;
    assert.equal(await told(batch(11, "{ __typename }")), "batch");
    assert.equal(await told(batch(2, `{ ${aliases("__typename")} }`)), "root_fields");
    assert.equal(await told(batch(2, `{ tenants { tenants { ${aliases("id")} } } }`)), "aliases");
    assert.equal(await told(batch(2, `{ ${"__typename ".repeat(1100)} }`)), "tokens");
  });
});

describe("with a slow graph", () => {
  let gateway;
  before(async () => {
    gateway = await start({ program: "ticks", settings: { "limits.execution": "300ms" } });
  });

  test("a query ends at the deadline", async () => {
    const started = Date.now();
    const answer = await gateway.post({ query: "{ slow(millis: 60000) }" }, { accept: NEW });
    assert.deepEqual([answer.status, code(await answer.json())], [504, "DEADLINE_EXCEEDED"]);
    assert.ok(Date.now() - started < 5000);
  });

  test("a mutation does not", async () => {
    assert.ok((await gateway.ask("mutation { slow(millis: 1000) }")).data.slow > 0);
  });

  test("nor does a mutation whose client disconnects", async () => {
    const done = async () => (await gateway.ask("{ done }")).data.done;
    const earlier = await done();
    const body = JSON.stringify({ query: "mutation { slow(millis: 500) }" });
    const signal = AbortSignal.timeout(200);
    const sent = gateway.fetch("", { method: "POST", body, headers: { "content-type": "application/json" }, signal });
    await assert.rejects(sent);
    await until("the end of the mutation", async () => (await done()) === earlier + 1, 5000);
  });

  test("a panic fails only its own request", async () => {
    assert.equal(code(await gateway.ask("{ panics }")), "INTERNAL_SERVER_ERROR");
    assert.deepEqual((await gateway.ask("{ __typename }")).data, { __typename: "Query" });
  });
});
