// Device authorization over nodes that share a PostgreSQL database.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway } from './gateway.mjs';
import { launch } from './chromium.mjs';
import { newMember } from './people.mjs';
import { PollingProgram, startProgram } from './program.mjs';

let browser;
let gateway;

before(async () => {
  [browser, gateway] = await Promise.all([launch(), startGateway({ database: 'postgres', nodes: 2 })]);
});

after(async () => {
  await browser?.close();
  await gateway?.end();
});

test('an approval at one node reaches the SDK that waits at another', async () => {
  const ana = await newMember(browser, gateway);
  await ana.signOut();
  const program = await startProgram(gateway.nodes[1].url, 'client over nodes');
  await ana.go(program.link);
  await ana.signIn();
  await ana.seesRequest('taegis-sdk');
  await ana.approve();
  const made = await program.result();
  assert.equal(made.subject, ana.id);
  assert.deepEqual(await gateway.names('client over nodes'), ['client over nodes']);
  await ana.leave();
});

test('a denial at one node ends the SDK that waits at another', async () => {
  const ana = await newMember(browser, gateway);
  const program = await startProgram(gateway.nodes[1].url, 'denied over nodes');
  await ana.go(program.link);
  await ana.seesRequest('taegis-sdk');
  await ana.deny();
  await program.failed();
  await ana.leave();
});

test('a code is used once, whichever node is asked', async () => {
  const ana = await newMember(browser, gateway);
  const [one, other] = [new PollingProgram(gateway, 0), new PollingProgram(gateway, 1)];
  await one.ask();
  other.device_code = one.device_code;
  await ana.go(one.verification_uri_complete);
  await ana.seesRequest('backup-tool');
  await ana.approve();
  const answers = await Promise.all([one.poll(), other.poll(), one.poll(), other.poll()]);
  assert.equal(answers.filter((answer) => answer.access_token).length, 1, JSON.stringify(answers.map(({ error }) => error)));
  await ana.leave();
});
