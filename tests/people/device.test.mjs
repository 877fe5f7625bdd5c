// Programs without a secret, and the people who approve or deny them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway } from './gateway.mjs';
import { launch } from './chromium.mjs';
import { newMember, newPerson } from './people.mjs';
import { PollingProgram, startProgram } from './program.mjs';

let browser;
let gateway;

before(async () => {
  [browser, gateway] = await Promise.all([launch(), startGateway()]);
});

after(async () => {
  await browser?.close();
  await gateway?.end();
});

const node = () => gateway.nodes[0].url;

test('the SDK gets a token by password and authenticator app, and makes a client', async () => {
  const ana = await newMember(browser, gateway);
  await ana.signOut();
  const program = await startProgram(node(), 'first client');
  await ana.go(program.link);
  await ana.signIn();
  const request = await ana.seesRequest('taegis-sdk');
  assert.match(request, /python-requests/);
  assert.ok(request.includes(new URL(program.link).searchParams.get('user_code')), 'the page shows the code');
  await ana.approve();
  const made = await program.result();
  assert.equal(made.name, 'first client');
  assert.equal(made.tenantID, gateway.tenantID);
  assert.equal(made.subject, ana.id);
  assert.equal(made.email, ana.email);
  assert.deepEqual(await gateway.names('first client'), ['first client']);
  await ana.leave();
});

test('the SDK ends without a token after a denial', async () => {
  const ana = await newMember(browser, gateway);
  const program = await startProgram(node(), 'denied client');
  await ana.go(program.link);
  await ana.seesRequest('taegis-sdk');
  await ana.deny();
  await program.failed();
  assert.deepEqual(await gateway.names('denied client'), []);
  await ana.leave();
});

test('a code works once', async () => {
  const ana = await newMember(browser, gateway);
  const program = await new PollingProgram(gateway).ask();
  assert.equal((await program.poll()).error, 'authorization_pending');
  await ana.go(program.verification_uri_complete);
  await ana.seesRequest('backup-tool');
  await ana.approve();
  assert.ok((await program.poll()).access_token);
  assert.equal((await program.poll()).error, 'invalid_grant');
  await ana.go(program.verification_uri_complete);
  await ana.alert().waitFor();
  assert.equal(await ana.button('Approve').count(), 0);
  await ana.leave();
});

test('a code entered by hand leads to the same request', async () => {
  const ana = await newMember(browser, gateway);
  const program = await new PollingProgram(gateway).ask();
  await ana.go(program.verification_uri);
  await ana.sees('Connect a device');
  await ana.field('Code').fill(program.user_code.toLowerCase().replace('-', ' '));
  await ana.press('Continue');
  await ana.seesRequest('backup-tool');
  await ana.approve();
  assert.ok((await program.poll()).access_token);
  await ana.leave();
});

test('session and request survive a restart of the gateway, and the waiting SDK ends cleanly', async () => {
  const ana = await newMember(browser, gateway);
  const [waiting, polling] = await Promise.all([startProgram(node(), 'lost client'), new PollingProgram(gateway).ask()]);
  await ana.go(polling.verification_uri_complete);
  await ana.seesRequest('backup-tool');
  await Promise.all([gateway.restart(), waiting.failed()]);
  await ana.approve();
  assert.ok((await polling.poll()).access_token);
  assert.deepEqual(await gateway.names('lost client'), []);
  await ana.leave();
});

test('a sign-in that began before a restart goes on after it', async () => {
  const ana = await newMember(browser, gateway);
  await ana.signOut();
  await ana.enterPassword();
  await ana.sees('Enter your code');
  await gateway.restart();
  await ana.enterCode();
  await ana.sees('Your account');
  await ana.leave();
});

test('an expired code ends the SDK and is refused on the page', async () => {
  const brief = await startGateway({ settings: { TENANT_GATEWAY__DEVICE__CODE_LIFETIME: '1m' } });
  try {
    const ana = await newMember(browser, brief);
    const polling = await new PollingProgram(brief).ask();
    assert.equal(polling.expires_in, 60);
    const program = await startProgram(brief.nodes[0].url, 'late client');
    await ana.go(program.link);
    await ana.seesRequest('taegis-sdk');
    // The gateway answers the held request when the code expires.
    await program.failed();
    await ana.press('Approve');
    await ana.alert().waitFor();
    assert.equal((await polling.poll()).error, 'expired_token');
    assert.deepEqual(await brief.names('late client'), []);
    await ana.leave();
  } finally {
    await brief.end();
  }
});

test('a person without the role cannot make the client', async () => {
  const [auditor, stranger] = await Promise.all([
    newMember(browser, gateway, { role: 'TenantAuditor' }),
    newPerson(browser, gateway),
  ]);
  const program = await startProgram(node(), 'forbidden client');
  await stranger.go(program.link);
  await stranger.sees('Sign in');
  assert.equal(await stranger.button('Approve').count(), 0, 'nothing of the request is shown to strangers');
  await auditor.go(program.link);
  await auditor.seesRequest('taegis-sdk');
  await auditor.approve();
  assert.notEqual(await program.ended, 0);
  assert.match(program.complaints, /FORBIDDEN|permission/i);
  assert.deepEqual(await gateway.names('forbidden client'), []);
  await Promise.all([auditor.leave(), stranger.leave()]);
});
