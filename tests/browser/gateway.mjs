// Starts the real binary, and prepares its data with a GraphQL client of the tests.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';

const { TENANT_GATEWAY_BIN: binary, TENANT_GATEWAY_TEST_LOG_DIR: logs, TENANT_GATEWAY_TEST_SECRETS: secrets } = process.env;

const ADMINISTRATOR = 'ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068';

/** Starts a command of the gateway on a free port; its log is kept for the scan for secrets. */
function start(command, environment = {}) {
  mkdirSync(logs, { recursive: true });
  const log = openSync(`${logs}/browser.log`, 'a', 0o600);
  return spawn(binary, command, {
    env: {
      PATH: process.env.PATH,
      RUST_LOG: 'debug',
      TENANT_GATEWAY__LOG__FORMAT: 'json',
      TENANT_GATEWAY__SERVER__LISTEN: '127.0.0.1:0',
      TENANT_GATEWAY__ADMIN__LISTEN: 'off',
      ...environment,
    },
    stdio: ['ignore', 'pipe', log],
  });
}

async function end(process) {
  if (process.exitCode === null) {
    const ended = once(process, 'exit');
    process.kill('SIGTERM');
    await ended;
  }
}

export async function startDemo(environment, options = []) {
  const process = start(['demo', '--output', 'json', ...options], environment);
  const died = once(process, 'exit').then(() => {
    throw new Error(`the demo ended at its start; see ${logs}/browser.log`);
  });
  const [line] = await Promise.race([once(createInterface({ input: process.stdout }), 'line'), died]);
  died.catch(() => {});
  const made = JSON.parse(line);
  noteSecret(made.clientSecret);
  const gateway = new Gateway(made);
  gateway.end = () => end(process);
  await gateway.signIn();
  return gateway;
}

/** A gateway started as an operator does, with an empty database. */
export async function startServe() {
  const folder = mkdtempSync(`${tmpdir()}/tenant-gateway-serve-`);
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const process = start(['serve'], {
    TENANT_GATEWAY__DATA__DIR: folder,
    TENANT_GATEWAY__SERVER__LISTEN: listen,
  });
  const url = `http://${listen}`;
  while (process.exitCode === null && !(await fetch(`${url}/health/ready`).catch(() => null))?.ok) {
    await setTimeout(50);
  }
  return {
    url,
    end: async () => {
      await end(process);
      rmSync(folder, { recursive: true });
    },
  };
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}

// At least 16 characters: the scan for secrets would find shorter texts by chance.
export function noteSecret(secret) {
  assert.ok(secret?.length >= 16, 'a secret of at least 16 characters');
  appendFileSync(secrets, `${secret}\n`, { mode: 0o600 });
}

class Gateway {
  #token;

  constructor(made) {
    Object.assign(this, made);
  }

  async signIn() {
    const { clientID, clientSecret } = this;
    this.#token = await this.tokenOf({ clientID, clientSecret });
  }

  async tokenOf({ clientID, clientSecret }) {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientID,
      client_secret: clientSecret,
    });
    const answer = await (await fetch(`${this.url}/oauth2/token`, { method: 'POST', body })).json();
    noteSecret(answer.access_token);
    return answer.access_token;
  }

  async ask(query, variables = {}, tenant = this.tenantID) {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${this.#token}`,
        'X-Tenant-Context': tenant,
      },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    if (errors) {
      throw new Error(JSON.stringify(errors));
    }
    return data;
  }

  async createTenant(name, tenant) {
    const query = 'mutation ($new: TenantCreateInput!) { createTenant(newTenant: $new) { id name } }';
    return (await this.ask(query, { new: { name } }, tenant)).createTenant;
  }

  async createClient(name, tenant, roles = [ADMINISTRATOR]) {
    const query = `mutation ($name: String!, $roles: [ID!]) {
      createClient(name: $name, roles: $roles) { clientSecret client { id clientID } }
    }`;
    const { clientSecret, client } = (await this.ask(query, { name, roles }, tenant)).createClient;
    noteSecret(clientSecret);
    return { ...client, clientSecret };
  }
}
