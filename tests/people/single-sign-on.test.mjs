// Sign-in at a third-party OpenID Connect provider.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ADMINISTRATOR, startGateway } from './gateway.mjs';
import { signInAtProvider, startIdentityProvider } from './identity-provider.mjs';
import { launch } from './chromium.mjs';
import { newMember, newPerson } from './people.mjs';
import { startProgram } from './program.mjs';

const DOMAIN = 'contoso.example';

let browser;
let gateway;
let provider;
let tenant;

before(async () => {
  [browser, gateway] = await Promise.all([launch(), startGateway()]);
  tenant = (await gateway.createTenant('Contoso')).id;
});

after(async () => {
  await browser?.close();
  await provider?.end();
  await gateway?.end();
});

test('a person with a password belongs to the tenant before it has a provider', async () => {
  const eve = await newMember(browser, gateway, { tenant, email: `eve@${DOMAIN}` });
  await eve.signOut();
  provider = await startIdentityProvider(gateway, tenant, { domain: DOMAIN, defaultRole: ADMINISTRATOR });
  assert.deepEqual(provider.test, { ok: true, problem: null });
  // A right password is refused like a wrong one once the provider is there.
  await eve.enterPassword();
  const right = await eve.alert().innerText();
  await eve.enterPassword('not the password of anybody');
  assert.equal(await eve.alert().innerText(), right);
  assert.equal(await eve.cookie('__Host-session'), undefined);
  await eve.leave();
});

test('the SDK gets a token by single sign-on, and makes a client', async () => {
  const ana = await newPerson(browser, gateway, { email: `ana@${DOMAIN}` });
  const program = await startProgram(gateway.nodes[0].url, 'client by single sign-on', tenant);
  await ana.go(program.link);
  await ana.sees('Sign in');
  await ana.field('E-mail address').fill(ana.email);
  await ana.press('Use single sign-on');
  await signInAtProvider(ana, 'ana');
  await ana.seesRequest('taegis-sdk');
  await ana.approve();
  const made = await program.result();
  assert.equal(made.tenantID, tenant);
  assert.equal(made.email, ana.email);
  await ana.go('/account');
  await ana.sees('Your account');
  assert.ok((await ana.page.getByRole('main').innerText()).includes('Contoso'));
  await ana.leave();
});

test('the sign-in link of a tenant leads to its provider', async () => {
  const bo = await newPerson(browser, gateway, { email: `bo@${DOMAIN}` });
  await bo.go(provider.signInPath);
  await signInAtProvider(bo, 'bo');
  await bo.sees('Your account');
  await bo.leave();
});

test('an address whose domain has no provider is told apart by nothing but the domain', async () => {
  const told = [];
  for (const email of ['nobody@fabrikam.example', 'ana@north.example']) {
    const person = await newPerson(browser, gateway, { email });
    await person.go('/login');
    await person.field('E-mail address').fill(email);
    await person.press('Use single sign-on');
    await person.alert().waitFor();
    told.push(await person.page.getByRole('main').innerText());
    await person.leave();
  }
  assert.equal(told[0], told[1]);
});

test('a refusal at the provider and a second use of its answer sign nobody in', async () => {
  const cy = await newPerson(browser, gateway, { email: `cy@${DOMAIN}` });
  const answers = [];
  cy.page.on('request', (request) => request.url().includes('/login/sso/callback') && answers.push(request.url()));
  await cy.go(provider.signInPath);
  await cy.page.getByRole('link', { name: /Cancel/ }).click();
  await cy.alert().waitFor();
  assert.equal(await cy.cookie('__Host-session'), undefined);
  await cy.go(provider.signInPath);
  await signInAtProvider(cy, 'cy');
  await cy.sees('Your account');
  await cy.signOut();
  await cy.go(answers.at(-1));
  await cy.alert().waitFor();
  assert.equal(await cy.cookie('__Host-session'), undefined);
  await cy.leave();
});
