// People use the playground with their browser session: without a token, and without a secret that scripts could read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { demo, openPlayground, SIGN_OUT } from './browser.mjs';
import { inviteInto, signInAs } from './person.mjs';

const ADMINISTRATOR = 'ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068';
const pictures = process.env.TENANT_GATEWAY_PICTURES;
let browser;
let gateway;

demo((made) => {
  ({ browser, gateway } = made);
});

test('a person signs in, works in a tenant, watches a task and signs out', async () => {
  const playground = await openPlayground(browser, gateway);
  const { page } = playground;
  const person = await inviteInto(page, gateway, ADMINISTRATOR);
  await page.goto(`${gateway.url}/playground`);
  await playground.ready();
  assert.equal(await page.locator('.subject').textContent(), 'Anna');
  const contoso = gateway.customers[0];
  await playground.chooseTenant(contoso.name);
  await playground.openExample('Computers');
  assert.equal((await playground.run()).data.deepSecurity.computers.nodes.length, 20);

  await playground.openExample('ProtectionReport');
  const { id } = (await playground.run()).data.createIntegrationServerReport;
  await playground.openExample('WatchTask');
  await playground.typeVariables({ id });
  await playground.run();
  await playground.answers(({ data }) => data.integrationServerTask.state === 'COMPLETED');
  assert.deepEqual([playground.tokens.size, playground.tokenRequests], [0, 0]);
  await page.screenshot({ path: `${pictures}/person.png` });

  await page.getByRole(SIGN_OUT.role, SIGN_OUT).click();
  const link = page.getByRole('link', { name: 'Sign in as a person' });
  await link.waitFor();
  assert.equal((await (await page.request.get(`${gateway.url}/session`)).json()).signedIn, false);
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map(({ id: rule }) => rule), []);
  await page.screenshot({ path: `${pictures}/person-sign-in.png` });

  await link.click();
  await signInAs(page, person);
  await playground.ready();
  assert.equal(page.url(), `${gateway.url}/playground`);
  await playground.close();
});

test('a session that was ended elsewhere is reported, and the person can sign in again', async () => {
  const playground = await openPlayground(browser, gateway);
  const { page } = playground;
  await inviteInto(page, gateway, ADMINISTRATOR);
  await page.goto(`${gateway.url}/playground`);
  await playground.ready();
  await page.context().clearCookies({ name: '__Host-session' });
  await playground.clickRun();
  const alert = page.getByRole('alert').filter({ hasText: /./ });
  assert.equal(await alert.textContent(), 'Your session has ended. Sign in again.');
  const refused = 'Failed to load resource: the server responded with a status of 401 (Unauthorized)';
  await playground.close({ complaints: [refused] });
});

test('while a slow sign-out ends the session, the page says that a mutation which it cut off may have run', async () => {
  const playground = await openPlayground(browser, gateway);
  const { page } = playground;
  await inviteInto(page, gateway, ADMINISTRATOR);
  await page.goto(`${gateway.url}/playground`);
  await playground.ready();
  await playground.openExample('CreateTenant');
  await page.route('**/graphql', (route) => (route.request().postData().includes('createTenant') ? undefined : route.continue()));
  let signOut;
  const mayEnd = new Promise((resolve) => (signOut = resolve));
  await page.route('**/logout', (route) => mayEnd.then(() => route.continue()));
  await playground.clickRun();
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole(SIGN_OUT.role, SIGN_OUT).click();
  await playground.status().getByText('Stopped. The gateway may have carried out the mutation all the same.').waitFor();
  signOut();
  await page.getByRole('link', { name: 'Sign in as a person' }).waitFor();
  await playground.close();
});
