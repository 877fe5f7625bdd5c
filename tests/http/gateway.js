// Starts the real binary, as `tests/sdk/processes.py` does, and requests tokens from it.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { appendFileSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { promisify } from "node:util";

const root = new URL("../..", import.meta.url).pathname;
const binary = process.env.TENANT_GATEWAY_BIN ?? join(root, "target/debug/tenant-gateway");
const logs = process.env.TENANT_GATEWAY_TEST_LOG_DIR ?? join(root, "target/test-logs");
const secrets = process.env.TENANT_GATEWAY_TEST_SECRETS ?? join(logs, "secrets.made");

export const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** The first truthy result of `ask`. */
export async function until(what, ask, millis = 30_000) {
  const deadline = Date.now() + millis;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer) return answer;
    await sleep(20);
  }
  throw new Error(`${what}: not within ${millis} ms`);
}

function note(...made) {
  assert.ok(made.every((secret) => secret?.length >= 16), "secrets of at least 16 characters");
  mkdirSync(logs, { recursive: true });
  appendFileSync(secrets, made.map((secret) => `${secret}\n`).join(""), { mode: 0o600 });
}

const ends = [];
after(() => Promise.all(ends.map((end) => end())));

/** Programs that print their credentials: the server of `ticks.rs`, and the gateway with simulated legacy systems. */
const PROGRAMS = { ticks: [join(binary, "../examples/http-ticks"), []], demo: [binary, ["demo", "--output", "json"]] };

/** A gateway on a fresh database, with its first administrator; or one of `PROGRAMS`. */
export async function start({ settings = {}, program, name = "http" } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "tenant-gateway-http-"));
  const environment = {
    PATH: process.env.PATH,
    RUST_LOG: "debug",
    TENANT_GATEWAY__SERVER__LISTEN: "127.0.0.1:0",
    TENANT_GATEWAY__ADMIN__LISTEN: "off",
    TENANT_GATEWAY__DATA__DIR: folder,
    TENANT_GATEWAY__LOG__FORMAT: "json",
  };
  for (const [key, value] of Object.entries(settings)) {
    environment[`TENANT_GATEWAY__${key.replace(".", "__").toUpperCase()}`] = String(value);
  }
  mkdirSync(logs, { recursive: true });
  const log = join(logs, `${name}-${process.pid}-${Date.now()}.log`);
  const sink = createWriteStream(log);
  await once(sink, "open");
  let first;
  let child;
  if (program) {
    child = spawn(...PROGRAMS[program], { env: environment, stdio: ["ignore", "pipe", sink] });
    let printed = "";
    child.stdout.on("data", (chunk) => (printed += chunk));
    await until("credentials", () => printed.includes("\n"));
    first = JSON.parse(printed);
  } else {
    const made = await promisify(execFile)(binary, ["init", "--output", "json"], { env: environment });
    first = JSON.parse(made.stdout);
    child = spawn(binary, ["serve"], { env: environment, stdio: ["ignore", sink, sink] });
  }
  const gone = once(child, "exit");
  ends.push(async () => {
    child.kill("SIGTERM");
    await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  const line = (text) => (text.startsWith("{") ? JSON.parse(text).listen : undefined);
  const address = await until("address in the log", () => {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}; see ${log}`);
    return readFileSync(log, "utf8").split("\n").slice(0, -1).map(line).find(Boolean);
  });
  const gateway = new Gateway(`http://${address}`, child, first);
  await until("readiness", async () => {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}; see ${log}`);
    return (await fetch(`${gateway.url}/health/ready`).catch(() => ({}))).ok;
  });
  gateway.token = await gateway.tokenOf(first.clientID, first.clientSecret);
  gateway.gone = gone;
  gateway.run = (...command) => promisify(execFile)(binary, command, { env: environment });
  return gateway;
}

class Gateway {
  constructor(url, child, first) {
    Object.assign(this, { url, child, first, graphql: `${url}/graphql`, socket: `${url.replace("http", "ws")}/graphql` });
  }

  async tokenOf(clientID, clientSecret) {
    const basic = Buffer.from(`${clientID}:${clientSecret}`).toString("base64");
    note(clientSecret, basic);
    const answer = await fetch(`${this.url}/oauth2/token`, {
      method: "POST",
      headers: { authorization: `Basic ${basic}`, "content-type": "application/x-www-form-urlencoded" },
      body: "grant_type=client_credentials",
    });
    const { access_token: token } = await answer.json();
    note(token);
    return token;
  }

  headers(more = {}) {
    return { authorization: `Bearer ${this.token}`, ...more };
  }

  /** Sends a request with the administrator's token. */
  fetch(query = "", { headers, ...options } = {}) {
    return fetch(`${this.graphql}${query}`, { ...options, headers: this.headers(headers) });
  }

  post(body, headers = {}) {
    const json = typeof body === "string" ? body : JSON.stringify(body);
    return this.fetch("", { method: "POST", body: json, headers: { "content-type": "application/json", ...headers } });
  }

  async ask(query, variables, headers) {
    return (await this.post({ query, variables }, headers)).json();
  }

  get memory() {
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024;
  }

  get peak() {
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]) * 1024;
  }
}

/** All results of an operation, from a client of `graphql-ws` or `graphql-sse`. */
export async function collect(client, query) {
  const results = [];
  for await (const result of client.iterate({ query })) results.push(result);
  return results;
}

/** The code of the only error. */
export function code(answer) {
  if (answer.errors?.length !== 1) throw new Error(`one error, not ${JSON.stringify(answer)}`);
  return answer.errors[0].extensions.code;
}
