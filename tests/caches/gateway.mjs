// Starts the demo of the real binary; requests bypass all caches.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { getIntrospectionQuery } from 'graphql';

const { TENANT_GATEWAY_BIN, TENANT_GATEWAY_TEST_LOG_DIR, TENANT_GATEWAY_TEST_SECRETS } = process.env;

// All logs are searched for these secrets afterwards.
function noteSecret(secret) {
  assert.ok(secret?.length >= 16, 'a secret of at least 16 characters');
  if (TENANT_GATEWAY_TEST_SECRETS) {
    appendFileSync(TENANT_GATEWAY_TEST_SECRETS, `${secret}\n`);
  }
}

export async function startDemo(name) {
  const log = TENANT_GATEWAY_TEST_LOG_DIR ? openSync(join(TENANT_GATEWAY_TEST_LOG_DIR, `caches-${name}.log`), 'a') : 'inherit';
  const environment = { TENANT_GATEWAY__SERVER__LISTEN: '127.0.0.1:0', TENANT_GATEWAY__ADMIN__LISTEN: 'off' };
  const child = spawn(TENANT_GATEWAY_BIN, ['demo', '--output', 'json'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', log],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { url, tokenURL, clientID, clientSecret, customers, partner } = JSON.parse(line);
  noteSecret(clientSecret);
  const credentials = { grant_type: 'client_credentials', client_id: clientID, client_secret: clientSecret };
  const answer = await fetch(tokenURL, { method: 'POST', body: new URLSearchParams(credentials) });
  const { access_token: token } = await answer.json();
  noteSecret(token);

  const ask = async (query, tenant, variables = {}) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { ...headers, ...(tenant && { 'x-tenant-context': tenant }) },
      body: JSON.stringify({ query, variables }),
    });
    return response.json();
  };
  const { data: introspection } = await ask(getIntrospectionQuery());
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { url, token, customers, partner, introspection, ask, stop };
}

// A result from a cache as plain objects, without the type names that clients add.
export function plain(value) {
  return JSON.parse(JSON.stringify(value, (key, member) => (key.startsWith('__') ? undefined : member)));
}
