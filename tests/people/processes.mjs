// Shared by the tests: free ports, stopping processes, and records of secrets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';

const secrets = process.env.TENANT_GATEWAY_TEST_SECRETS;

// At least 16 characters: the scan for secrets would find shorter texts by chance.
export function noteSecret(...made) {
  for (const secret of made) {
    assert.ok(secret?.length >= 16, 'a secret of at least 16 characters');
    appendFileSync(secrets, `${secret}\n`, { mode: 0o600 });
  }
}

export async function endProcess(child, signal = 'SIGTERM') {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}
