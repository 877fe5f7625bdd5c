// Runs the real binary as an operator does: a database, nodes on it, and an administrator client.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startPostgres } from './postgres.mjs';
import { endProcess, freePort, noteSecret } from './processes.mjs';

const { TENANT_GATEWAY_BIN: binary, TENANT_GATEWAY_TEST_LOG_DIR: logs } = process.env;

export const ADMINISTRATOR = 'ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068';
export const AUDITOR = 'ace1cae4-59fd-4fd1-9500-40077dc529a7';

/**
 * A gateway with its first tenant and an administrator client. People reach it at `url`, whose host is a name,
 * because passkeys are tied to names; programs reach it at the address.
 */
export async function startGateway({ database = 'sqlite', settings = {}, nodes = 1 } = {}) {
  const gateway = new Gateway();
  try {
    await gateway.prepare(database, settings);
    for (let number = 0; number < nodes; number += 1) {
      await gateway.startNode();
    }
    await gateway.authenticate();
  } catch (error) {
    await gateway.end();
    throw error;
  }
  return gateway;
}

class Gateway {
  nodes = [];
  #cleanUp = [];
  #token;

  async prepare(database, settings) {
    mkdirSync(logs, { recursive: true });
    const folder = mkdtempSync(`${tmpdir()}/tenant-gateway-people-`);
    this.#cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
    this.ports = [await freePort(), await freePort()];
    this.url = `http://localhost:${this.ports[0]}`;
    this.environment = {
      PATH: process.env.PATH,
      // The most verbose level in use: the scan searches these logs for secrets.
      RUST_LOG: 'debug',
      TENANT_GATEWAY__LOG__FORMAT: 'json',
      TENANT_GATEWAY__DATA__DIR: folder,
      TENANT_GATEWAY__ADMIN__LISTEN: 'off',
      TENANT_GATEWAY__SERVER__PUBLIC_URL: this.url,
      TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES: 'true',
      ...settings,
    };
    if (database === 'postgres') {
      const postgres = await startPostgres();
      this.#cleanUp.push(() => postgres.end());
      const masterKey = randomBytes(32).toString('base64');
      noteSecret(masterKey);
      this.environment.TENANT_GATEWAY__SEAL__MASTER_KEY = masterKey;
      this.environment.TENANT_GATEWAY__DATABASE__URL = postgres.url;
      await this.run('migrate', 'up');
    }
    const { clientID, clientSecret, tenantID } = JSON.parse(await this.run('init', '--output', 'json'));
    noteSecret(clientSecret);
    Object.assign(this, { clientID, clientSecret, tenantID });
  }

  /** Runs a command of the operator and returns its output. */
  async run(...command) {
    const listen = `127.0.0.1:${this.ports[0]}`;
    const env = { ...this.environment, TENANT_GATEWAY__SERVER__LISTEN: listen };
    return (await promisify(execFile)(binary, command, { env })).stdout;
  }

  async startNode(number = this.nodes.length) {
    const listen = `127.0.0.1:${this.ports[number]}`;
    const log = openSync(`${logs}/people.log`, 'a', 0o600);
    const env = { ...this.environment, TENANT_GATEWAY__SERVER__LISTEN: listen };
    const node = spawn(binary, ['serve'], { env, stdio: ['ignore', log, log] });
    this.nodes[number] = { process: node, url: `http://${listen}` };
    while (!(await fetch(`http://${listen}/health/ready`).catch(() => null))?.ok) {
      assert.equal(node.exitCode, null, `the gateway ended at its start; see ${logs}/people.log`);
      await setTimeout(50);
    }
  }

  /** Stops a node as a service manager does, and starts it again. */
  async restart(number = 0) {
    await endProcess(this.nodes[number].process);
    await this.startNode(number);
  }

  async end() {
    await Promise.all(this.nodes.map(({ process }) => endProcess(process)));
    for (const cleanUp of this.#cleanUp.reverse()) {
      await cleanUp();
    }
  }

  async authenticate() {
    const { clientID, clientSecret } = this;
    const form = { grant_type: 'client_credentials', client_id: clientID, client_secret: clientSecret };
    const { access_token: token } = await (await this.postForm('/oauth2/token', form)).json();
    noteSecret(token);
    this.#token = token;
  }

  postForm(path, form, node = 0) {
    return fetch(`${this.nodes[node].url}${path}`, { method: 'POST', body: new URLSearchParams(form) });
  }

  /** A GraphQL request, by default as the administrator that `init` created. */
  async ask(query, variables = {}, { tenant = this.tenantID, token = this.#token } = {}) {
    const response = await fetch(`${this.nodes[0].url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, 'X-Tenant-Context': tenant },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  }

  async createTenant(name) {
    const query = 'mutation ($new: TenantCreateInput!) { createTenant(newTenant: $new) { id name } }';
    return (await this.ask(query, { new: { name } })).createTenant;
  }

  /** Invites a person: their id, and the one-time link. */
  async invite(email, { role = ADMINISTRATOR, tenant = this.tenantID } = {}) {
    const options = ['--email', email, '--role', role, '--tenant', tenant, '--output', 'json'];
    const { userID, inviteURL } = JSON.parse(await this.run('user', 'create', ...options));
    noteSecret(inviteURL.split('/').at(-1));
    return { userID, inviteURL };
  }

  async names(pattern = '%%') {
    const query = 'query ($name: String) { clientsSearch(filters: { name: $name }) { results { name } } }';
    const { clientsSearch } = await this.ask(query, { name: pattern });
    return clientsSearch.results.map(({ name }) => name);
  }
}
