// A PostgreSQL server for the tests, without durability.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { endProcess, freePort, noteSecret } from './processes.mjs';

const logs = process.env.TENANT_GATEWAY_TEST_LOG_DIR;

export async function startPostgres() {
  const programs = folderOfPrograms();
  const folder = mkdtempSync(`${tmpdir()}/tenant-gateway-people-postgres-`);
  // Hexadecimal: the same characters in the URL and in a log.
  const password = randomBytes(16).toString('hex');
  noteSecret(password);
  const passwordFile = `${folder}/password`;
  writeFileSync(passwordFile, password);
  const owner = unprivileged();
  if (owner.uid !== undefined) {
    chownSync(folder, owner.uid, owner.gid);
    chownSync(passwordFile, owner.uid, owner.gid);
  }
  const data = `${folder}/data`;
  const log = openSync(`${logs}/people-postgres-server.log`, 'a', 0o600);
  const options = { cwd: folder, stdio: ['ignore', log, log], ...owner };
  const access = ['--username=gateway', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  execFileSync(`${programs}/initdb`, ['--no-sync', ...access, '--encoding=UTF8', '--locale=C.UTF-8', `--pgdata=${data}`], options);
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'fsync=off'];
  const server = spawn(`${programs}/postgres`, ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], options);
  while (spawnSync(`${programs}/pg_isready`, ['-q', '-h', '127.0.0.1', '-p', port]).status !== 0) {
    assert.equal(server.exitCode, null, `PostgreSQL ended at its start; see ${logs}/people-postgres-server.log`);
    await setTimeout(50);
  }
  return {
    url: `postgres://gateway:${password}@127.0.0.1:${port}/postgres`,
    // PostgreSQL's fast shutdown does not wait for clients.
    end: async () => {
      await endProcess(server, 'SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function folderOfPrograms() {
  const root = '/usr/lib/postgresql';
  const versions = readdirSync(root).filter((name) => /^\d+$/.test(name));
  const newest = Math.max(...versions.map(Number));
  assert.ok(newest > 0, `no PostgreSQL below ${root}`);
  return `${root}/${newest}/bin`;
}

/** initdb refuses to run as root. */
function unprivileged() {
  if (process.getuid() !== 0) {
    return {};
  }
  const id = (what) => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
