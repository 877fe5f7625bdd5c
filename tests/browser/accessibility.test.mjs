// axe finds nothing in any state of the page, in both themes and at three widths.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { launch, openPlayground } from './browser.mjs';
import { startDemo } from './gateway.mjs';

let browser;
let gateway;

before(async () => {
  [browser, gateway] = await Promise.all([launch(), startDemo()]);
});

after(async () => {
  await browser?.close();
  await gateway?.end();
});

async function check(playground, state) {
  const { violations } = await new AxeBuilder({ page: playground.page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  assert.deepEqual(found, [], state);
}

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 800, 1280]) {
    test(`nothing is found in ${colorScheme} at ${width} px`, async () => {
      const playground = await openPlayground(browser, gateway, { colorScheme, viewport: { width, height: 820 } });
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
      await playground.page.keyboard.press('Escape');
      await playground.openExample('EveryCustomer');
      await playground.run();
      await check(playground, 'answer with an error');
      await playground.page.getByRole('button', { name: 'Tenants', exact: true }).click();
      await check(playground, 'table of tenants');
      await playground.openExample('DeleteClient');
      await playground.clickRun();
      await check(playground, 'values to fill in');
      await playground.openPanel('Schema');
      await playground.page.getByRole('button', { name: 'Details of deepSecurity', exact: true }).click();
      await check(playground, 'schema');
      await playground.openPanel('History');
      await check(playground, 'history');
      const refused = 'Failed to load resource: the server responded with a status of 401 (Unauthorized)';
      await playground.close({ complaints: [refused] });
    });
  }
}
