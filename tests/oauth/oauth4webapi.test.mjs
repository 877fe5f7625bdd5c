// oauth4webapi, a strict client: it rejects responses that deviate from the standards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { importPKCS8 } from "jose";
import * as oauth from "oauth4webapi";
import { AUDIENCE, CUSTOMER, TENANT, ask, bySecret, client, discovered, granted, options, presented } from "./gateway.mjs";

test("both forms of discovery give one document", async () => {
  assert.deepEqual(await discovered("oidc"), await discovered("oauth2"));
});

test("client credentials, by header and by form", async () => {
  const server = await discovered();
  const byForm = oauth.ClientSecretPost(process.env.CLIENT_SECRET);
  for (const authentication of [bySecret, byForm]) {
    const token = await granted(server, client, authentication);
    assert.equal(token.token_type, "bearer");
    assert.equal(token.expires_in, 3600);
  }
});

test("a token is valid by RFC 9068", async () => {
  const server = await discovered();
  const { access_token } = await granted(server);
  const claims = await oauth.validateJwtAccessToken(server, presented(access_token), AUDIENCE, options);
  assert.equal(claims.client_id, client.client_id);
  assert.equal(claims.tenant_id, TENANT);
  await assert.rejects(oauth.validateJwtAccessToken(server, presented(access_token), "another", options));
});

test("introspection and revocation", async () => {
  const server = await discovered();
  const { access_token } = await granted(server);
  const introspect = async () => {
    const response = await oauth.introspectionRequest(server, client, bySecret, access_token, options);
    return oauth.processIntrospectionResponse(server, client, response);
  };
  assert.equal((await introspect()).active, true);
  assert.equal((await ask(access_token, "{ currentSubject { id } }")).status, 200);
  const response = await oauth.revocationRequest(server, client, bySecret, access_token, options);
  await oauth.processRevocationResponse(response);
  assert.deepEqual(await introspect(), { active: false });
  assert.equal((await ask(access_token, "{ currentSubject { id } }")).status, 401);
});

// The library names Ed25519 by its own name (RFC 9864); some servers and libraries still say EdDSA.
const renamed = { [oauth.modifyAssertion]: (header) => { header.alg = "EdDSA"; } };
for (const [algorithm, imported, modify] of [
  ["EdDSA", "Ed25519"], ["EdDSA", "Ed25519", renamed], ["ES256", "ES256"], ["RS256", "RS256"],
]) {
  test(`private_key_jwt with ${algorithm}${modify ? " by its older name" : ""}, at every endpoint`, async () => {
    const server = await discovered();
    const key = await importPKCS8(process.env[`${algorithm}_PRIVATE_KEY`], imported);
    const who = { client_id: process.env[`${algorithm}_CLIENT_ID`] };
    const byKey = oauth.PrivateKeyJwt(key, modify);
    const { access_token } = await granted(server, who, byKey);
    const told = await oauth.introspectionRequest(server, who, byKey, access_token, options);
    assert.equal((await oauth.processIntrospectionResponse(server, who, told)).active, true);
    await oauth.processRevocationResponse(await oauth.revocationRequest(server, who, byKey, access_token, options));
    assert.equal((await ask(access_token, "{ __typename }")).status, 401);
  });
}

test("a token narrowed to a tenant and a scope", async () => {
  const server = await discovered();
  const token = await granted(server, client, bySecret, { tenant: CUSTOMER, scope: "clients:read" });
  assert.equal(token.scope, "clients:read");
  const there = await ask(token.access_token, "{ requestTenantContext { tenantIDs } }");
  assert.deepEqual(there.data.requestTenantContext.tenantIDs, [CUSTOMER]);
  assert.equal((await ask(token.access_token, "{ __typename }", { "x-tenant-context": TENANT })).status, 403);
  const refused = await ask(token.access_token, 'mutation { createClient(name: "x") { clientSecret } }');
  assert.equal(refused.errors[0].extensions.code, "FORBIDDEN");
});

for (const [parameters, error] of [
  [{ scope: "openid" }, "invalid_scope"],
  [{ tenant: "00000000-0000-4000-8000-000000000000" }, "invalid_target"],
]) {
  test(`${JSON.stringify(parameters)} is ${error}`, async () => {
    await assert.rejects(granted(await discovered(), client, bySecret, parameters), { error, status: 400 });
  });
}

test("a wrong secret is invalid_client, with a challenge", async () => {
  const wrong = oauth.ClientSecretBasic("wrong");
  await assert.rejects(granted(await discovered(), client, wrong), (refused) => {
    // The library reads the challenge first (RFC 9110).
    const challenges = refused.cause ?? [];
    return refused.error === "invalid_client" || challenges[0]?.scheme === "basic";
  });
});
