// jose, as a resource server uses it: keys from the URL, claims by RFC 9068.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { ALGORITHM, AUDIENCE, CLIENT_ID, ISSUER, discovered, granted } from "./gateway.mjs";

const expected = {
  issuer: ISSUER,
  audience: AUDIENCE,
  typ: "at+jwt",
  algorithms: [ALGORITHM],
  requiredClaims: ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"],
};

async function verified(token, changes = {}) {
  const server = await discovered();
  return jwtVerify(token, createRemoteJWKSet(new URL(server.jwks_uri)), { ...expected, ...changes });
}

test("a token is verified by the published keys", async () => {
  const { access_token } = await granted(await discovered());
  const { payload, protectedHeader } = await verified(access_token);
  assert.equal(payload.client_id, CLIENT_ID);
  assert.equal(protectedHeader.alg, ALGORITHM);
  assert.equal(payload.exp - payload.iat, 3600);
});

test("what a token was not made for is refused", async () => {
  const { access_token } = await granted(await discovered());
  await assert.rejects(verified(access_token, { audience: "another" }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
  await assert.rejects(verified(access_token, { issuer: "https://another.example" }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
  await assert.rejects(verified(access_token, { algorithms: ["PS256"] }), { code: "ERR_JOSE_ALG_NOT_ALLOWED" });
  const altered = `${access_token.slice(0, -8)}AAAAAAAA`;
  await assert.rejects(verified(altered), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
});

test("the key that signs is a published one", async () => {
  const server = await discovered();
  const { access_token } = await granted(server);
  const { keys } = await (await fetch(server.jwks_uri)).json();
  assert.ok(keys.some((key) => key.kid === decodeProtectedHeader(access_token).kid));
});
