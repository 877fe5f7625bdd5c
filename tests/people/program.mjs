// Programs without a browser: the vendor's SDK, and one that polls by RFC 8628.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { noteSecret } from './processes.mjs';

const { TENANT_GATEWAY_TEST_PYTHON: python, TENANT_GATEWAY_ROOT: root } = process.env;

/** Starts the SDK's script at a node, and returns when it has printed the link for a person. */
export async function startProgram(url, name, tenant) {
  // The SDK keeps its token in the home directory.
  const home = mkdtempSync(`${tmpdir()}/tenant-gateway-people-home-`);
  const env = { PATH: process.env.PATH, HOME: home, NO_PROXY: '127.0.0.1', PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const command = [`${root}/tests/people/program.py`, url, name, ...(tenant ? [tenant] : [])];
  const child = spawn(python, command, { env });
  const program = new Program(child);
  program.ended.then(() => rmSync(home, { recursive: true }));
  program.link = await program.printed(/^Copy URL into a browser: (.+)$/);
  return program;
}

class Program {
  #lines = [];
  complaints = '';

  constructor(child) {
    this.child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.#lines.push(line));
    child.stderr.on('data', (data) => (this.complaints += data));
    this.ended = once(child, 'close').then(([status]) => status);
  }

  async printed(pattern) {
    for (;;) {
      const found = this.#lines.map((line) => pattern.exec(line)).find(Boolean);
      if (found) {
        return found[1];
      }
      assert.equal(this.child.exitCode, null, `the program ended: ${this.complaints}`);
      await setTimeout(50);
    }
  }

  /** The output of the program after its approval. */
  async result() {
    assert.equal(await this.ended, 0, this.complaints);
    const result = JSON.parse(this.#lines.at(-1));
    noteSecret(result.token, result.clientSecret);
    return result;
  }

  /** Asserts that the program ended without a token, by an error of the SDK. */
  async failed() {
    assert.notEqual(await this.ended, 0);
    assert.match(this.complaints, /HTTPError|ConnectionError|RemoteDisconnected/);
    assert.equal(this.#lines.length, 1, 'nothing but the link was printed');
  }
}

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** A program that asks by RFC 8628 and polls. */
export class PollingProgram {
  constructor(gateway, node = 0) {
    this.gateway = gateway;
    this.node = node;
  }

  async ask(form = {}) {
    const response = await this.gateway.postForm('/oauth2/device_authorization', { client_id: 'backup-tool', ...form }, this.node);
    assert.equal(response.status, 200);
    Object.assign(this, await response.json());
    noteSecret(this.device_code);
    return this;
  }

  async poll() {
    const form = { grant_type: GRANT, device_code: this.device_code, client_id: 'backup-tool' };
    const response = await this.gateway.postForm('/oauth2/token', form, this.node);
    const answer = await response.json();
    if (answer.access_token) {
      noteSecret(answer.access_token);
    }
    return answer;
  }
}
