// The audits of the reference implementation of GraphQL over HTTP.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { serverAudits } from "graphql-http";
import { start } from "./gateway.js";

let gateway;
before(async () => {
  gateway = await start();
});

const authorized = (url, options = {}) =>
  fetch(url, { ...options, headers: { ...options.headers, authorization: `Bearer ${gateway.token}` } });
const audits = serverAudits({ url: () => gateway.graphql, fetchFn: authorized });

test("all 61 are there", () => assert.equal(audits.length, 61));

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    assert.equal(result.status, "ok", result.reason);
  });
}
