// The workbench as a person uses it: errors, examples, the schema, history, small screens, the keyboard.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demo, openPlayground } from './browser.mjs';
import { noteSecret, startDemo } from './gateway.mjs';

const pictures = process.env.TENANT_GATEWAY_PICTURES;
let browser;
let gateway;
let contoso;
let northwind;

demo((made) => {
  ({ browser, gateway } = made);
  contoso = gateway.customers[0];
  northwind = gateway.customers[2];
});

async function openSignedIn(options) {
  const playground = await openPlayground(browser, gateway, options);
  await playground.signedIn();
  return playground;
}

test('errors appear above the response, with code, path and tenant, and link to their location', async () => {
  const playground = await openSignedIn();
  await playground.openExample('EveryCustomer');
  await playground.run();
  const status = await playground.status().innerText();
  assert.match(status, /1 error/);
  assert.match(status, /HTTP 200/);
  assert.match(status, /\d+ ms/);
  assert.match(status, /\d+ fields, \d+ upstream calls, 2 tenants/);
  const error = playground.page.getByRole('list', { name: 'Errors' }).getByRole('button');
  const text = await error.innerText();
  for (const part of ['UPSTREAM_REJECTED', 'tenants.tenants.2.deepSecurity.computers', northwind.name]) {
    assert.ok(text.includes(part), text);
  }
  assert.doesNotMatch(await playground.text('Response'), /"computers": null/, 'the place is out of sight');
  await error.click();
  await playground.response().getByText('"computers": null').waitFor();
  await playground.close();
});

test('the tenants of a fan-out are listed with those that did not answer', async () => {
  const playground = await openSignedIn();
  const { page } = playground;
  await playground.openExample('EveryCustomer');
  await playground.run();
  await page.getByRole('button', { name: 'Tenants', exact: true }).click();
  await page.getByText('2 of 3 tenants answered in full.').waitFor();
  const rows = await page.getByRole('row').allInnerTexts();
  assert.match(rows[1], /Contoso Retail\s+answered/);
  assert.match(rows[3], /Northwind Traders\s+UPSTREAM_REJECTED/);
  await page.screenshot({ path: `${pictures}/tenant-results.png` });
  await page.getByRole('button', { name: northwind.name, exact: true }).click();
  await playground.response().getByText('"computers": null').waitFor();
  await playground.close();
});

test('an example with required values names them before anything is sent', async () => {
  const playground = await openSignedIn();
  await playground.page.getByRole('searchbox', { name: 'Search examples' }).fill('delete client');
  const entry = playground.page.getByRole('navigation').getByRole('button', { name: /^DeleteClient/ });
  assert.match(await entry.innerText(), /Fill in id: UUID or client_id/);
  await entry.click();
  let sent = 0;
  playground.page.on('request', (request) => (sent += request.url().endsWith('/graphql') ? 1 : 0));
  await playground.clickRun();
  assert.equal(await playground.status().innerText(), 'Fill in the variables first: `id` (UUID or client_id).');
  assert.equal(sent, 0);
  await playground.close();
});

test('every example runs at once or names the values to fill in', async () => {
  const playground = await openSignedIn();
  const { page } = playground;
  await playground.chooseTenant(contoso.name);
  const entries = page.getByRole('navigation').locator('button.entry');
  const withPlaceholders = [];
  for (let index = 0; index < (await entries.count()); index += 1) {
    const text = await entries.nth(index).innerText();
    const [name] = text.split('\n');
    await entries.nth(index).click();
    await playground.openTabs().locator('.active').getByRole('button', { name, exact: true }).waitFor();
    await playground.clickRun();
    if (text.includes('Fill in ')) {
      withPlaceholders.push(name);
      assert.match(await playground.status().innerText(), /^Fill in the variables first: `/, name);
    } else {
      await playground.response().getByRole('button', { name: 'Copy the response' }).waitFor();
      const { data, errors } = await playground.answer();
      noteSecretsIn(data);
      // The tenant that CreateTenant makes has no link yet.
      assert.ok((errors ?? []).every(({ extensions }) => extensions.code === 'UPSTREAM_NOT_LINKED'), `${name}: ${JSON.stringify(errors)}`);
    }
  }
  assert.ok(withPlaceholders.length >= 6, String(withPlaceholders));
  await playground.close();
});

/** Those that only the response to a mutation contains. */
function noteSecretsIn(value) {
  JSON.stringify(value, (key, member) => {
    if (/secret(Key)?$/i.test(key) && typeof member === 'string') {
      noteSecret(member);
    }
    return member;
  });
}

test('an anonymous operation pasted over a named one runs at once', async () => {
  const playground = await openSignedIn();
  await playground.typeQuery('{ currentSubject { displayName } }');
  await playground.page.keyboard.press('ControlOrMeta+Enter');
  await playground.response().getByRole('button', { name: 'Copy the response' }).waitFor();
  assert.equal((await playground.answer()).data.currentSubject.displayName, 'administrator');
  await playground.close();
});

test('mistakes in variables and headers are explained', async () => {
  const playground = await openSignedIn();
  await playground.write('Variables', '{ "name": "%", }');
  await playground.clickRun();
  assert.match(await playground.status().innerText(), /^The variables cannot be parsed: .+/);
  await playground.write('Variables', '[]');
  await playground.clickRun();
  assert.equal(await playground.status().innerText(), 'The variables must be a JSON object.');
  await playground.typeVariables({});
  await playground.page.getByRole('button', { name: 'Headers', exact: true }).click();
  await playground.write('Headers', `{ "x-tenant-context": "${contoso.id}" }`);
  await playground.clickRun();
  assert.match(await playground.status().innerText(), /^The page sets the header `x-tenant-context` itself/);
  await playground.write('Headers', '{ "X-Request-Id": "from-the-page" }');
  const requested = playground.page.waitForRequest((request) => request.headers()['x-request-id'] === 'from-the-page');
  await playground.run();
  await requested;
  await playground.close();
});

test('an unreachable gateway is explained', async () => {
  const playground = await openSignedIn();
  await playground.page.context().setOffline(true);
  await playground.clickRun();
  await playground.status().getByText('The gateway cannot be reached. Is it running?').waitFor();
  await playground.page.context().setOffline(false);
  await playground.run();
  await playground.close({ complaints: ['Failed to load resource: net::ERR_INTERNET_DISCONNECTED'] });
});

test('the schema is read once a session', async () => {
  const playground = await openPlayground(browser, gateway);
  let introspections = 0;
  playground.page.on('request', (request) => {
    introspections += request.postData()?.includes('__schema') ? 1 : 0;
  });
  await playground.signedIn();
  for (const { name } of gateway.customers) {
    await playground.chooseTenant(name);
    await playground.openExample('Roles');
    await playground.run();
  }
  assert.equal(introspections, 1);
  await playground.close();
});

test('the schema builds a query, with required arguments as variables', async () => {
  const playground = await openSignedIn();
  const { page } = playground;
  await page.getByRole('button', { name: 'New operation' }).click();
  await playground.openPanel('Schema');
  await page.getByRole('searchbox', { name: 'Search fields' }).fill('requestTenantContext');
  await page.getByRole('button', { name: 'Details of requestTenantContext', exact: true }).click();
  await page.getByRole('checkbox', { name: /^tenantIDs/ }).check();
  await playground.shows('Query', /query MyQuery \{\s*requestTenantContext \{\s*tenantIDs\s*\}\s*\}/);
  assert.deepEqual((await playground.run()).data.requestTenantContext.tenantIDs, [gateway.tenantID]);
  await page.getByRole('searchbox', { name: 'Search fields' }).fill('tenant');
  await page.getByRole('checkbox', { name: 'tenant Tenant', exact: true }).check();
  await playground.shows('Query', /query MyQuery\(\$id: ID!\)[^]+tenant\(id: \$id\) \{\s*id\s*\}/);
  await page.getByRole('checkbox', { name: 'tenant Tenant', exact: true }).uncheck();
  await playground.shows('Query', /^(?![^]*\$id)/);
  await playground.close();
});

test('history is kept only where the person asks for it, and without secrets', async () => {
  const playground = await openSignedIn();
  const { page } = playground;
  await playground.openExample('CreateServerTenant');
  const password = 'Never-Kept-In-History-4711';
  noteSecret(password);
  await playground.typeVariables({ input: { name: 'Kept name', administrator: { name: 'kept', password } } });
  await playground.run();
  await playground.openPanel('History');
  await page.getByRole('navigation').getByRole('button', { name: /^CreateServerTenant/ }).waitFor();
  assert.ok(!(await playground.kept()).includes('Kept name'));
  await page.getByRole('checkbox', { name: 'Keep tabs and history in this browser' }).check();
  const kept = await playground.kept();
  assert.ok(kept.includes('Kept name'));
  assert.ok(!kept.includes(password));
  await page.reload();
  await playground.signedIn();
  assert.match(await playground.text('Variables'), /Kept name[^]+<removed>/);
  await playground.openPanel('History');
  await page.getByRole('checkbox', { name: 'Keep tabs and history in this browser' }).uncheck();
  assert.ok(!(await playground.kept()).includes('Kept name'));
  const refused = 'Failed to load resource: the server responded with a status of 400 (Bad Request)';
  await playground.close({ complaints: [refused] });
});

test('no text below a name like a secret is kept, wherever it is', async () => {
  const playground = await openSignedIn();
  const { page } = playground;
  await playground.openPanel('History');
  await page.getByRole('checkbox', { name: 'Keep tabs and history in this browser' }).check();
  const secrets = ['list', 'default', 'document'].map((place) => `Never-Kept-In-A-${place}-4711`);
  secrets.forEach(noteSecret);
  const [inList, inDefault, inDocument] = secrets;
  await playground.typeVariables({ passwords: [inList, { old: inList }], other: 'Kept value' });
  await playground.typeQuery(
    `query Kept($token: String = "${inDefault}") { a: client(id: $token) { id } b: clients(secrets: ["${inDocument}"]) { id } }`,
  );
  await playground.shows('Query', /Kept/);
  const kept = await playground.kept();
  assert.ok(kept.includes('Kept value') && kept.includes('query Kept'), kept);
  for (const secret of secrets) {
    assert.ok(!kept.includes(secret), secret);
  }
  await playground.close();
});

test('a page with work that is not kept asks before it is left', async () => {
  const playground = await openSignedIn();
  const { page } = playground;
  const asked = page.waitForEvent('dialog');
  await playground.typeQuery('query Mine { __typename }');
  await page.evaluate(() => void setTimeout(() => location.reload()));
  const dialog = await asked;
  assert.equal(dialog.type(), 'beforeunload');
  await dialog.dismiss();
  await playground.shows('Query', /Mine/);
  await playground.openPanel('History');
  await page.getByRole('checkbox', { name: 'Keep tabs and history in this browser' }).check();
  page.on('dialog', () => assert.fail('nothing would be lost'));
  await page.reload();
  await playground.signedIn();
  await playground.shows('Query', /Mine/);
  await playground.close();
});

test('a stopped mutation may have been carried out, and the page says so', async () => {
  const playground = await openSignedIn();
  const { page } = playground;
  await playground.openExample('CreateTenant');
  const neverAnswered = () => {};
  await page.route('**/graphql', neverAnswered);
  await playground.clickRun();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await playground.status().getByText('Stopped. The gateway may have carried out the mutation all the same.').waitFor();
  await playground.close();
});

test('a tenant, an example and the location of an error are reached by keyboard alone', async () => {
  const playground = await openSignedIn();
  const { page } = playground;
  const tabTo = async (role, name, key) => {
    const isFocused = () => page.getByRole(role, { name }).evaluate((element) => element === document.activeElement);
    for (let presses = 0; !(await isFocused()); presses += 1) {
      assert.ok(presses < 60, `${name} is not reached`);
      await page.keyboard.press(key);
    }
  };
  await tabTo('combobox', 'Tenant', 'Shift+Tab');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.type(northwind.name);
  await page.getByRole('option', { name: northwind.name, selected: true }).waitFor();
  await page.keyboard.press('Enter');
  await playground.location().getByText(northwind.name).waitFor();
  await playground.ready();
  await tabTo('searchbox', 'Search examples', 'Shift+Tab');
  await page.keyboard.type('computers');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await playground.shows('Query', /query Computers/);
  await page.keyboard.press('ControlOrMeta+Enter');
  await playground.response().getByRole('list', { name: 'Errors' }).waitFor();
  await tabTo('button', /^UPSTREAM_REJECTED/, 'Tab');
  await page.keyboard.press('Enter');
  await playground.response().getByText('"computers": null').waitFor();
  await playground.close();
});

test('signing in leads straight to the editor, and Tab leads on from there', async () => {
  const playground = await openSignedIn();
  const { page } = playground;
  const focused = () => page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) {
      element = element.shadowRoot.activeElement;
    }
    return element?.getAttribute('aria-label') ?? element?.textContent;
  });
  assert.equal(await focused(), 'Query');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Variables');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Headers');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Variables');
  await page.keyboard.press('ControlOrMeta+Enter');
  await playground.response().getByText('OK', { exact: true }).waitFor();
  await playground.close();
});

test('the cursor stands in a new tab as soon as the tab is shown', async () => {
  const playground = await openSignedIn();
  await playground.openPanel('Examples');
  const focused = await playground.page.evaluate(() => new Promise((resolve) => {
    const isOpen = () => resolve(document.activeElement.dataset.label);
    new MutationObserver(isOpen).observe(document.querySelector('.tabs'), { childList: true, subtree: true });
    [...document.querySelectorAll('nav button')].find((button) => button.textContent.startsWith('Roles')).click();
  }));
  assert.equal(focused, 'Query');
  await playground.close();
});

test('with introspection off everything but completion works', async () => {
  const closed = await startDemo({ TENANT_GATEWAY__GRAPHQL__INTROSPECTION: 'off' });
  const playground = await openPlayground(browser, closed);
  await playground.signedIn();
  const { createIntegrationServerReport: task } = await closed.ask('mutation { createIntegrationServerReport { id } }', {}, closed.customers[0].id);
  await playground.chooseTenant(closed.customers[0].name);
  await playground.openPanel('Schema');
  await playground.page.getByText(/^The schema cannot be read, so there is no completion/).waitFor();
  await playground.openExample('WatchTask');
  await playground.typeVariables({ id: task.id });
  const { data } = await playground.run();
  assert.ok(data.integrationServerTask.state);
  const refused = 'Failed to load resource: the server responded with a status of 400 (Bad Request)';
  await playground.close({ complaints: [refused] });
  await closed.end();
});

const phone = { viewport: { width: 390, height: 844 } };
/** The viewport of a window of 1280 px at 200 % zoom. */
const zoomed = { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 };

for (const [name, options] of [['phone', phone], ['zoomed', zoomed]]) {
  test(`a query is run on a ${name} screen, which scrolls in one direction only`, async () => {
    const playground = await openSignedIn(options);
    const { page } = playground;
    await playground.chooseTenant(contoso.name);
    await playground.openExample('Computers');
    assert.equal((await playground.run()).data.deepSecurity.computers.nodes.length, 20);
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(excess, 0);
    const panes = await Promise.all(['.side', '.operation', '.response'].map((pane) => page.locator(pane).boundingBox()));
    assert.ok(panes[0].y + panes[0].height <= panes[1].y && panes[1].y + panes[1].height <= panes[2].y, 'stacked');
    await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
    await playground.close();
  });
}
