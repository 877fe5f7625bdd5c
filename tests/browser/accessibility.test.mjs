// axe reports no violation in any state of the page, in both themes, at three widths and at 200 % zoom.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { demo, openPlayground } from './browser.mjs';
import { noteSecret, startDemo } from './gateway.mjs';

let browser;
let gateway;

demo((made) => {
  ({ browser, gateway } = made);
});

const REFUSED = 'Failed to load resource: the server responded with a status of 401 (Unauthorized)';
const OFFLINE = 'Failed to load resource: net::ERR_INTERNET_DISCONNECTED';

async function check(playground, state) {
  const { violations } = await new AxeBuilder({ page: playground.page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  assert.deepEqual(found, [], state);
}

async function checkEditing(playground) {
  const { keyboard } = playground.page;
  await playground.typeQuery('{ ');
  await keyboard.type('curr');
  await playground.page.getByRole('option', { name: /^currentSubject/ }).waitFor();
  await check(playground, 'completion');
  await keyboard.press('Escape');
  await keyboard.press('ControlOrMeta+F');
  await playground.page.getByRole('textbox', { name: 'Find' }).waitFor();
  await check(playground, 'search in the editor');
  await keyboard.press('Escape');
}

async function checkRunning(playground) {
  const { page } = playground;
  await playground.openExample('Roles');
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route('**/graphql', async (route) => {
    await released;
    await route.continue();
  });
  await playground.clickRun();
  await page.getByRole('button', { name: /^Stop/ }).waitFor();
  await check(playground, 'running');
  release();
  await playground.response().getByRole('button', { name: 'Copy the response' }).waitFor();
  await page.unroute('**/graphql');
  await page.context().setOffline(true);
  await playground.clickRun();
  await playground.status().getByText('The gateway cannot be reached.', { exact: false }).waitFor();
  await check(playground, 'gateway out of reach');
  await page.context().setOffline(false);
}

async function checkArguments(playground) {
  const { page } = playground;
  // The first one is that of Deep Security.
  await page.getByRole('button', { name: 'Details of tenants', exact: true }).last().click();
  await page.getByRole('checkbox', { name: 'tenantsQuery TenantsQuery', exact: true }).check();
  await page.getByRole('list', { name: 'Fields of tenantsQuery' }).waitFor();
  await check(playground, 'arguments');
}

/** A mutation whose answer comes after the tenant was changed, and is shown there. */
async function checkElsewhere(playground) {
  const { page } = playground;
  await playground.openExample('CreateClient');
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route('**/graphql', async (route) => {
    if (route.request().postData().includes('createClient')) {
      await released;
    }
    await route.continue();
  });
  await playground.clickRun();
  await playground.chooseTenant(gateway.customers[0].name);
  const sent = page.getByRole('list', { name: 'Sent elsewhere' });
  await sent.waitFor();
  await check(playground, 'a mutation that runs in another tenant');
  release();
  await sent.getByRole('button', { name: /^Show the answer/ }).click();
  await playground.status().getByText(/^From /).waitFor();
  noteSecret((await playground.answer()).data.createClient.clientSecret);
  await check(playground, 'an answer from another tenant');
  await page.unroute('**/graphql');
}

/** A window of 1280 px at 200 % zoom shows as many CSS pixels as a window of 640 px. */
const zoomed = { viewport: { width: 640, height: 410 }, deviceScaleFactor: 2 };
const windows = [390, 800, 1280].map((width) => [`${width} px`, { viewport: { width, height: 820 } }]);

for (const colorScheme of ['light', 'dark']) {
  for (const [name, options] of [...windows, ['200 % zoom', zoomed]]) {
    test(`axe reports no violation in ${colorScheme} at ${name}`, async () => {
      const playground = await openPlayground(browser, gateway, { colorScheme, ...options });
      await playground.page.getByLabel('Client id').waitFor();
      await check(playground, 'sign-in');
      await playground.signIn({ clientID: gateway.clientID, clientSecret: 'tgw_wrong' });
      await playground.page.getByRole('alert').filter({ hasText: /./ }).waitFor();
      await check(playground, 'sign-in refused');
      await playground.signedIn();
      await check(playground, 'signed in');
      await playground.picker().click();
      await playground.page.getByText('4 tenants', { exact: true }).waitFor();
      await check(playground, 'tenant list');
      await playground.page.keyboard.type('no tenant has this name');
      await playground.page.getByText('No tenant of this name.').waitFor();
      await check(playground, 'no tenant found');
      await playground.page.keyboard.press('Escape');
      await playground.openExample('EveryCustomer');
      await playground.run();
      await check(playground, 'answer with an error');
      await playground.page.getByRole('button', { name: 'Tenants', exact: true }).click();
      await check(playground, 'table of tenants');
      await playground.openExample('DeleteClient');
      await playground.clickRun();
      await check(playground, 'values to fill in');
      await playground.openExample('CreateClient');
      await check(playground, 'mutation');
      await playground.page.getByRole('button', { name: 'Headers', exact: true }).click();
      await check(playground, 'headers');
      await checkEditing(playground);
      await checkRunning(playground);
      await playground.openPanel('Schema');
      await playground.page.getByRole('button', { name: 'Details of deepSecurity', exact: true }).click();
      await check(playground, 'schema');
      await checkArguments(playground);
      await checkElsewhere(playground);
      await playground.openPanel('History');
      await check(playground, 'history');
      await playground.page.getByRole('checkbox', { name: 'Keep tabs and history in this browser' }).check();
      await check(playground, 'history that is kept');
      await playground.close({ complaints: [REFUSED, OFFLINE] });
    });
  }
  test(`axe reports no violation in ${colorScheme} without a schema and without a tenant`, async () => {
    const closed = await startDemo({ TENANT_GATEWAY__GRAPHQL__INTROSPECTION: 'off' });
    const playground = await openPlayground(browser, closed, { colorScheme });
    // As for a client that holds no role in its own tenant.
    const home = (route) => (route.request().postDataJSON().query.includes('WhoAmI') ? route.abort() : route.continue());
    await playground.page.route('**/graphql', home);
    await playground.signIn();
    await playground.page.getByText('This client holds no role in its own tenant.').waitFor();
    await check(playground, 'no tenant');
    await playground.openPanel('Schema');
    await playground.page.getByText(/^The schema cannot be read/).waitFor();
    await check(playground, 'no schema');
    assert.equal(playground.complaints.length, 2);
    await playground.close({ complaints: playground.complaints });
    await closed.end();
  });
}
