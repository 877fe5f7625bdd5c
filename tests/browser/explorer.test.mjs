// The schema explorer writes operations: fields, arguments and input fields, by mouse and by keyboard.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demo, openPlayground } from './browser.mjs';

const pictures = process.env.TENANT_GATEWAY_PICTURES;
let browser;
let gateway;
let contoso;

demo((made) => {
  ({ browser, gateway } = made);
  contoso = gateway.customers[0];
});

/** A playground in a customer, with an empty operation and the schema at its side. */
async function openExplorer() {
  const playground = await openPlayground(browser, gateway);
  await playground.signedIn();
  await playground.chooseTenant(contoso.name);
  const { page } = playground;
  await page.getByRole('button', { name: 'New operation' }).click();
  await playground.openPanel('Schema');
  const search = page.getByRole('searchbox', { name: 'Search fields' });
  const details = (name) => page.getByRole('button', { name: `Details of ${name}`, exact: true });
  const box = (list, name) => page.getByRole('list', { name: list, exact: true }).getByRole('checkbox', { name, exact: true });
  return { playground, page, search, details, box };
}

test('optional arguments are added with a value or a variable, and taken away', async () => {
  const { playground, page, search, details, box } = await openExplorer();
  await search.fill('deepSecurity');
  await details('deepSecurity').click();
  await details('computers').click();
  const first = box('Arguments of computers', 'first Int');
  const name = box('Arguments of computers', 'name String');

  await first.check();
  await playground.shows('Query', /deepSecurity \{\s*computers\(first: 10\) \{/);
  await name.check();
  await playground.shows('Query', /query MyQuery\(\$name: String\)[^]+computers\(first: 10, name: \$name\)/);
  await playground.shows('Variables', /"name": "<String>"/);
  await page.screenshot({ path: `${pictures}/arguments.png` });
  await playground.clickRun();
  assert.equal(await playground.status().innerText(), 'Fill in the variables first: `name` (String).');
  await playground.typeVariables({ name: 'host-1.%' });
  assert.equal((await playground.run()).errors, undefined);

  await first.uncheck();
  await playground.shows('Query', /computers\(name: \$name\)/);
  await name.uncheck();
  await playground.shows('Query', /^(?![^]*\$name)[^]*computers \{/);
  assert.match(await playground.text('Variables'), /host-1/, 'typed values stay');
  await playground.typeVariables({});
  await name.check();
  await playground.shows('Variables', /<String>/);
  await name.uncheck();
  await playground.shows('Variables', /^(?![^]*String)/);
  await playground.close();
});

test('fields of input objects are added to the variables, and taken away', async () => {
  const { playground, search, details, box } = await openExplorer();
  await search.fill('tenants');
  await details('tenants').click();
  await box('Arguments of tenants', 'tenantsQuery TenantsQuery').check();
  await playground.shows('Query', /query MyQuery\(\$tenantsQuery: TenantsQuery\)[^]+tenants\(tenantsQuery: \$tenantsQuery\)/);
  const isOrganization = box('Fields of tenantsQuery', 'isOrganization Boolean');
  await isOrganization.check();
  await box('Fields of tenantsQuery', 'count Int').check();
  await playground.shows('Variables', /"isOrganization": true,\s*"count": 10/);
  const labels = box('Fields of tenantsQuery', 'labelsMatch [TenantLabelMatcher!]');
  await labels.check();
  await playground.shows('Variables', /"labelsMatch": \[\s*\{/);
  await labels.uncheck();
  await isOrganization.uncheck();
  await playground.shows('Variables', /^(?![^]*(isOrganization|labelsMatch))[^]*"count": 10/);
  assert.equal((await playground.run()).errors, undefined);
  await box('Arguments of tenants', 'tenantsQuery TenantsQuery').uncheck();
  await playground.shows('Query', /^(?![^]*tenantsQuery)/);
  await playground.close();
});

test('two fields with an argument of one name get a variable each', async () => {
  const { playground, page, search } = await openExplorer();
  for (const [text, name] of [['client', 'client Client'], ['tenant', 'tenant Tenant']]) {
    await search.fill(text);
    await page.getByRole('checkbox', { name, exact: true }).check();
  }
  await playground.shows('Query', /\(\$id: ID!, \$id2: ID!\)[^]+client\(id: \$id\)[^]+tenant\(id: \$id2\)/);
  await playground.shows('Variables', /"id": "<ID>",\s*"id2": "<ID>"/);
  await playground.close();
});

test('arguments are reached, described and ticked by keyboard alone', async () => {
  const { playground, page, search, box } = await openExplorer();
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.parentElement.textContent);
  await search.focus();
  await page.keyboard.type('tenant');
  for (let presses = 0; (await focused()) !== 'Details of tenant'; presses += 1) {
    assert.ok(presses < 60, 'the field is reached');
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  const id = box('Arguments of tenant', 'id ID! required');
  for (let presses = 0; !(await id.evaluate((element) => element === document.activeElement)); presses += 1) {
    assert.ok(presses < 5, 'the argument is reached');
    await page.keyboard.press('Tab');
  }
  const described = await id.evaluate((element) => document.getElementById(element.getAttribute('aria-describedby'))?.textContent);
  assert.ok(described?.length > 3, String(described));
  await page.keyboard.press('Space');
  await playground.shows('Query', /tenant\(id: \$id\)/);
  assert.equal(await id.isDisabled(), true, 'a required argument stays as long as its field');
  await playground.close();
});

test('an argument that is ticked keeps the focus, so that Space takes it away again', async () => {
  const { playground, page, search, details, box } = await openExplorer();
  await search.fill('auditLog');
  await details('auditLog').click();
  const outcome = box('Arguments of auditLog', 'outcome AuditOutcome');
  await outcome.focus();
  await page.keyboard.press('Space');
  await playground.shows('Query', /auditLog\(outcome: [A-Z]+\)/);
  await page.keyboard.press('Space');
  await playground.shows('Query', /auditLog \{/);
  assert.equal(await outcome.isChecked(), false);
  await playground.close();
});

test('the last field of an operation takes away that operation alone', async () => {
  const { playground, page, search } = await openExplorer();
  const fragment = 'fragment Name on Tenant { name }';
  await playground.typeQuery(
    `query Mine { requestTenantContext { tenantIDs } } query Other($id: ID!) { tenant(id: $id) { ...Name } } ${fragment}`,
  );
  await playground.typeVariables({ id: 'typed' });
  await search.fill('requestTenantContext');
  const context = page.getByRole('checkbox', { name: /^requestTenantContext / });
  await context.uncheck();
  await playground.shows('Query', /^(?!.*Mine)\s*query Other\(\$id: ID!\) \{.*\.\.\.Name.*fragment Name on Tenant/s);
  assert.match(await playground.text('Variables'), /"id": "typed"/);

  await playground.typeQuery(`query Mine { requestTenantContext { tenantIDs } } ${fragment}`);
  await context.uncheck();
  await playground.shows('Query', /^(?!.*Mine).*fragment Name on Tenant/s);
  await context.check();
  await playground.shows('Query', /query MyQuery.*requestTenantContext.*fragment Name on Tenant/s);
  await playground.typeQuery('query Mine { requestTenantContext { tenantIDs } }');
  await context.uncheck();
  await playground.shows('Query', /^\s*$/);
  await playground.close();
});

test('variables that fragments and directives use keep their definitions and values', async () => {
  const { playground, page, search } = await openExplorer();
  await playground.typeQuery(
    'query Mine($note: String, $id: ID!, $short: Boolean!, $foreign: String, $unused: ID!) @note(text: $note) { ...Top } ' +
      'fragment Top on Query { tenant(id: $id) { ...Name } } fragment Name on Tenant { name @skip(if: $short) } ' +
      'fragment Foreign on Query { clients(name: $foreign) { totalCount } }',
  );
  await playground.typeVariables({ note: '<String>', id: '<ID>', short: true, unused: '<ID>' });
  await search.fill('requestTenantContext');
  await page.getByRole('checkbox', { name: /^requestTenantContext / }).check();
  await playground.shows('Query', /query Mine\(\$note: String, \$id: ID!, \$short: Boolean!\) @note\(text: \$note\)/);
  const variables = JSON.parse(await playground.text('Variables'));
  assert.deepEqual(variables, { note: '<String>', id: '<ID>', short: true });
  await playground.close();
});
