// Passkeys, with Chromium's virtual authenticator.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway } from './gateway.mjs';
import { launch } from './chromium.mjs';
import { addAuthenticator, newMember, newPerson } from './people.mjs';
import { startProgram } from './program.mjs';

let browser;
let gateway;

before(async () => {
  [browser, gateway] = await Promise.all([launch(), startGateway()]);
});

after(async () => {
  await browser?.close();
  await gateway?.end();
});

async function newOwner() {
  const ana = await newPerson(browser, gateway);
  await addAuthenticator(ana.page);
  await ana.openInvitation(await gateway.invite(ana.email));
  await ana.setPassword();
  await ana.sees('Set up an authenticator app');
  await ana.link('Use a passkey instead').click();
  await ana.sees('Set up a passkey');
  await ana.press('Set up a passkey');
  await ana.sees('Your account');
  return ana;
}

test('the SDK gets a token by password and passkey, and makes a client', async () => {
  const ana = await newOwner();
  await ana.signOut();
  const program = await startProgram(gateway.nodes[0].url, 'client by passkey');
  await ana.go(program.link);
  await ana.enterPassword();
  await ana.sees('Enter your code');
  await ana.press('Use a passkey');
  await ana.seesRequest('taegis-sdk');
  await ana.approve();
  assert.equal((await program.result()).subject, ana.id);
  await ana.leave();
});

test('a passkey alone signs in, and its session is a new one', async () => {
  const ana = await newOwner();
  const before = await ana.cookie('__Host-session');
  await ana.signOut();
  await ana.press('Use a passkey');
  await ana.sees('Your account');
  assert.notEqual(await ana.cookie('__Host-session'), before);
  await ana.leave();
});

test('a passkey can be added beside the app, renamed and removed', async () => {
  const ana = await newMember(browser, gateway);
  await addAuthenticator(ana.page);
  await ana.link('Change passkeys').click();
  await ana.sees('Your passkeys');
  await ana.field('Name of the new passkey').fill('Laptop');
  await ana.press('Set up a passkey');
  await ana.button('Remove Laptop').waitFor();
  await ana.field('Name').fill('Old laptop');
  await ana.press('Rename');
  await ana.button('Remove Old laptop').click();
  await ana.page.getByText('You have no passkeys.').waitFor();
  await ana.leave();
});

test('a passkey that nobody knows signs nobody in', async () => {
  const stranger = await newPerson(browser, gateway);
  await addAuthenticator(stranger.page);
  await stranger.go('/login');
  await stranger.press('Use a passkey');
  await stranger.alert().waitFor();
  assert.equal(await stranger.cookie('__Host-session'), undefined);
  await stranger.leave();
});
