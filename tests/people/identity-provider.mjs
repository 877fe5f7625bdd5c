// A third-party OpenID Connect provider on loopback.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { freePort, noteSecret } from './processes.mjs';

const SET = `mutation ($input: SetIdentityProviderInput!) {
  setIdentityProvider(input: $input) { id redirectURIs signInPath }
}`;
const TEST = 'mutation { testIdentityProvider { ok problem } }';

/** Starts a provider and sets it for the tenant. It accepts any login with any password; the address of an account is `<login>@<domain>`. */
export async function startIdentityProvider(gateway, tenant, { domain, defaultRole }) {
  const issuer = `http://127.0.0.1:${await freePort()}`;
  const clientID = 'tenant-gateway';
  const clientSecret = randomBytes(24).toString('hex');
  noteSecret(clientSecret);
  const input = { issuer, clientID, clientSecret, domains: [domain], defaultRole };
  const { setIdentityProvider: made } = await gateway.ask(SET, { input }, { tenant });
  const client = { client_id: clientID, client_secret: clientSecret, redirect_uris: made.redirectURIs };
  const provider = new Provider(issuer, {
    clients: [client],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@${domain}`, email_verified: true, name: id }),
    }),
  });
  const server = createServer(provider.callback()).listen(Number(new URL(issuer).port), '127.0.0.1');
  await once(server, 'listening');
  const { testIdentityProvider: test } = await gateway.ask(TEST, {}, { tenant });
  return {
    ...made,
    issuer,
    test,
    end: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
}

/** Signs a person in at the provider, and consents to sharing the identity. */
export async function signInAtProvider(person, login) {
  const { page } = person;
  await page.locator('input[name="login"]').fill(login);
  await page.locator('input[name="password"]').fill('any password is taken');
  await page.locator('button[type="submit"]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
}
