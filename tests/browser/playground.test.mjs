import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'graphql';
import { demo, openPlayground, SIGN_OUT } from './browser.mjs';
import { noteSecret } from './gateway.mjs';

const pictures = process.env.TENANT_GATEWAY_PICTURES;
const folder = `${process.env.TENANT_GATEWAY_ROOT}/playground/examples`;
const examples = readdirSync(folder)
  .filter((file) => file.endsWith('.graphql'))
  .map((file) => parse(readFileSync(`${folder}/${file}`, 'utf8')).definitions[0]);
let browser;
let gateway;
let contoso;
let fabrikam;
let northwind;

demo(async (made) => {
  ({ browser, gateway } = made);
  assert.ok(gateway.playgroundURL, 'the binary has no playground: see the warning of cargo build');
  [contoso, fabrikam, northwind] = gateway.customers;
  await gateway.createClient('contoso backup', contoso.id);
  await gateway.createClient('fabrikam backup', fabrikam.id);
});

const open = (options) => openPlayground(browser, gateway, options);

test('a wrong secret is reported clearly', async () => {
  const playground = await open();
  await playground.signIn({ clientID: gateway.clientID, clientSecret: 'tgw_wrong' });
  const alert = playground.page.getByRole('alert').filter({ hasText: /./ });
  assert.equal(await alert.textContent(), 'The gateway does not accept this client id with this secret.');
  await playground.page.screenshot({ path: `${pictures}/wrong-secret.png` });
  await playground.signedIn();
  // The browser logs the refused request by itself.
  await playground.close({ complaints: ['Failed to load resource: the server responded with a status of 401 (Unauthorized)'] });
});

test('a query sees the clients of the chosen tenant only', async () => {
  const playground = await open();
  await playground.signedIn();
  assert.match(await playground.text('Variables'), /"name": "%%"/);
  const names = async () => (await playground.run()).data.clientsSearch.results.map(({ name }) => name);
  assert.deepEqual(await names(), ['administrator', 'contoso backup', 'fabrikam backup']);

  await playground.chooseTenant(contoso.name);
  assert.equal(await playground.status().textContent(), '', 'no answer of one tenant stays on the screen of another');
  assert.equal((await playground.text('Response')).trim(), '');
  assert.deepEqual(await names(), ['contoso backup']);

  await playground.chooseTenant(fabrikam.name);
  assert.deepEqual(await names(), ['fabrikam backup']);
  await playground.close();
});

test('the open operations survive a change of tenant', async () => {
  const playground = await open();
  await playground.signedIn();
  for (const tenant of [contoso, fabrikam]) {
    await playground.openExample('CreateClient');
    await playground.chooseTenant(tenant.name);
    assert.match(await playground.text('Variables'), /my_awesome_app/);
  }
  await playground.typeQuery('query Mine { requestTenantContext { tenantIDs } }');
  await playground.typeVariables({});
  await playground.chooseTenant(contoso.name);
  const answer = await playground.run();
  assert.deepEqual(answer.data.requestTenantContext.tenantIDs, [contoso.id]);
  assert.deepEqual(await playground.openTabs().getByRole('listitem').allInnerTexts(), ['Clients\n×', 'Mine\n×', '+']);
  await playground.close();
});

test('neither secret nor token outlives the page', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.openExample('CreateClient');
  const { clientSecret } = (await playground.run()).data.createClient;
  noteSecret(clientSecret);
  await playground.chooseTenant(contoso.name);
  const kept = await playground.kept();
  for (const secret of [gateway.clientSecret, clientSecret, ...playground.tokens]) {
    noteSecret(secret);
    assert.ok(!kept.includes(secret));
  }
  assert.ok(!kept.includes('my_awesome_app'), 'what is typed is not kept unless the person asks for it');
  await playground.page.reload();
  await playground.page.getByLabel('Client secret').waitFor();
  assert.equal(await playground.page.getByLabel('Client secret').inputValue(), '');
  await playground.close();
});

test('a token is renewed before it ends', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.run();
  assert.equal(playground.tokenRequests, 1);
  await playground.page.clock.setFixedTime(Date.now() + (3600 - 20) * 1000);
  await playground.run();
  assert.equal(playground.tokenRequests, 2);
  assert.equal(playground.tokens.size, 2);
  await playground.close();
});

test('a client whose secret was taken is signed out with the reason', async () => {
  const client = await gateway.createClient('soon closed', contoso.id);
  const playground = await open();
  await playground.signedIn(client);
  await gateway.ask('mutation ($id: ID!) { deleteClient(id: $id) { id } }', { id: client.id });
  await playground.clickRun();
  const alert = playground.page.getByRole('alert').filter({ hasText: /./ });
  assert.match(await alert.textContent(), /does not accept this client/);
  const refused = 'Failed to load resource: the server responded with a status of 401 (Unauthorized)';
  await playground.close({ complaints: [refused, refused] });
});

test('signing out leaves an empty sign-in page', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.page.getByRole(SIGN_OUT.role, SIGN_OUT).click();
  assert.equal(await playground.page.getByLabel('Client secret').inputValue(), '');
  assert.equal(await playground.editor('Query').count(), 0);
  await playground.close();
});

test('each capability has an example, and those that only read run unchanged', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.chooseTenant(contoso.name);
  for (const { name, operation } of examples) {
    await playground.openExample(name.value);
    if (operation === 'query') {
      assert.equal((await playground.run()).errors, undefined, name.value);
    }
  }
  await playground.close();
});

test('panels, completion and search keep to the content security policy', async () => {
  const playground = await open();
  await playground.signedIn();
  const { page } = playground;
  await playground.openPanel('Schema');
  await page.getByRole('button', { name: 'Details of tenants', exact: true }).click();
  await page.getByRole('checkbox', { name: /^totalCount/ }).waitFor();
  await page.screenshot({ path: `${pictures}/schema.png` });
  await playground.openPanel('History');
  await playground.openPanel('Examples');
  await playground.typeQuery('{ ');
  await page.keyboard.type('curr');
  await page.getByRole('option', { name: /^currentSubject/ }).waitFor();
  await page.screenshot({ path: `${pictures}/completion.png` });
  await page.keyboard.press('Escape');
  await page.keyboard.press('ControlOrMeta+F');
  await page.getByRole('textbox', { name: 'Find' }).waitFor();
  await page.keyboard.press('Escape');
  await playground.close();
});

test('Enter waits for the answer to the present text', async () => {
  const playground = await open();
  await playground.signedIn();
  const { page } = playground;
  const home = await playground.location().textContent();
  const release = await playground.holdTenantSearch(fabrikam.name);
  await playground.picker().focus();
  await page.keyboard.press('ArrowDown');
  // The rows on the screen are results for an earlier text than the one typed next.
  await page.getByRole('option', { name: contoso.name }).waitFor();
  await page.keyboard.type(fabrikam.name);
  await page.keyboard.press('Enter');
  await page.getByText('Searching…').waitFor();
  assert.equal(await playground.location().textContent(), home, 'no row of the earlier list is taken');
  release();
  await playground.location().getByText(fabrikam.name).waitFor();
  await playground.openExample('Roles');
  assert.deepEqual((await playground.run()).data.requestTenantContext.tenantIDs, [fabrikam.id]);
  await playground.close();
});

test('Enter before an answer with several tenants leaves the choice open', async () => {
  const above = await gateway.createTenant('Enter early');
  for (const name of ['Enter early North', 'Enter early South']) {
    await gateway.createTenant(name, above.id);
  }
  const playground = await open();
  await playground.signedIn();
  const home = await playground.location().textContent();
  const release = await playground.holdTenantSearch('early');
  await playground.picker().focus();
  await playground.page.keyboard.press('ArrowDown');
  await playground.page.keyboard.type('early');
  await playground.page.keyboard.press('Enter');
  release();
  await playground.page.getByText('3 tenants', { exact: true }).waitFor();
  assert.equal(await playground.location().textContent(), home);
  await playground.page.keyboard.press('ArrowDown');
  await playground.page.keyboard.press('Enter');
  await playground.location().getByText('Enter early North').waitFor();
  await playground.close();
});

test('a late response to an earlier text replaces nothing', async () => {
  const playground = await open();
  await playground.signedIn();
  const { page } = playground;
  const release = await playground.holdTenantSearch(contoso.name);
  const isSearched = (request) => request.postData()?.includes(`*${contoso.name}*`) ?? false;
  await playground.picker().focus();
  await page.keyboard.press('ArrowDown');
  const asked = page.waitForRequest(isSearched);
  await page.keyboard.type(contoso.name);
  await asked;
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type(fabrikam.name);
  await page.getByRole('option', { name: fabrikam.name }).waitFor();
  const late = page.waitForResponse((response) => isSearched(response.request()));
  release();
  await (await late).finished();
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  assert.equal(await page.getByRole('listbox', { name: 'Tenants' }).getByRole('option').count(), 1);
  await page.keyboard.press('Enter');
  await playground.location().getByText(fabrikam.name).waitFor();
  await playground.close();
});

test('a tenant search that fails is explained, and Enter chooses nothing', async () => {
  const playground = await open();
  await playground.signedIn();
  const { page } = playground;
  const home = await playground.location().textContent();
  const proxy = { status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' };
  let isLost = true;
  await page.route('**/graphql', (route) => {
    if (!route.request().postData()?.includes('TenantPage')) {
      return route.continue();
    }
    return isLost ? route.abort() : route.fulfill(proxy);
  });
  await playground.picker().focus();
  await page.keyboard.press('ArrowDown');
  await page.getByText('The gateway cannot be reached. Is it running?').waitFor();
  isLost = false;
  await page.keyboard.type(fabrikam.name);
  await page.keyboard.press('Enter');
  await page.getByText('The gateway answered with status 502 and no JSON.').waitFor();
  assert.equal(await playground.location().textContent(), home);
  await page.unroute('**/graphql');
  await page.keyboard.press('Escape');
  await playground.chooseTenant(fabrikam.name);
  assert.equal(playground.complaints.length, 2, String(playground.complaints));
  assert.ok(playground.complaints.every((complaint) => complaint.startsWith('Failed to load resource: ')));
  await playground.close({ complaints: playground.complaints });
});

test('opening the list and pressing Enter stays in the current tenant', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.chooseTenant(fabrikam.name);
  const { page } = playground;
  await playground.picker().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('option', { name: contoso.name }).waitFor();
  const [current] = await page.getByRole('option', { selected: true }).allTextContents();
  assert.match(current, new RegExp(`^${fabrikam.name}`));
  await page.screenshot({ path: `${pictures}/current-tenant.png` });
  await page.keyboard.press('Enter');
  await page.getByRole('listbox', { name: 'Tenants' }).waitFor({ state: 'detached' });
  assert.match(await playground.location().textContent(), new RegExp(`^In ${fabrikam.name}`));
  await playground.close();
});

test('two tenants of one name are told apart by path and id', async () => {
  const branches = [];
  for (const { id } of [contoso, fabrikam]) {
    branches.push(await gateway.createTenant('Twin branch', id));
  }
  const playground = await open();
  await playground.signedIn();
  const { page } = playground;
  await playground.picker().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.type('Twin branch');
  await page.getByText('2 tenants', { exact: true }).waitFor();
  const rows = await page.getByRole('option').allTextContents();
  for (const [index, parent] of [contoso, fabrikam].entries()) {
    const row = rows.find((text) => text.includes(branches[index].id.slice(0, 8)));
    assert.ok(row.includes(parent.name), `${row} names ${parent.name}`);
  }
  await page.screenshot({ path: `${pictures}/twin-tenants.png` });
  await page.getByRole('option').filter({ hasText: branches[1].id.slice(0, 8) }).click();
  const location = await playground.location().textContent();
  assert.ok(location.includes(fabrikam.name) && location.includes(branches[1].id.slice(0, 8)), location);
  await playground.close();
});

test('the run button of a mutation names the tenant', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.chooseTenant(contoso.name);
  await playground.openExample('CreateClient');
  await playground.page.getByRole('button', { name: `Run mutation in ${contoso.name}`, exact: true }).waitFor();
  await playground.page.screenshot({ path: `${pictures}/mutation.png` });
  await playground.openExample('Roles');
  await playground.page.getByRole('button', { name: 'Run', exact: true }).waitFor();
  await playground.close();
});

test('many tenants are paged and searched', async () => {
  const many = await gateway.createTenant('Many');
  const names = Array.from({ length: 60 }, (_, index) => `Branch ${String(index + 1).padStart(2, '0')}`);
  for (const name of names) {
    await gateway.createTenant(name, many.id);
  }
  const playground = await open();
  await playground.signedIn(await gateway.createClient('of many', many.id));
  const { page } = playground;
  await playground.picker().click();
  await page.getByText('50 of 61 tenants').waitFor();
  await page.screenshot({ path: `${pictures}/tenants.png` });
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.getByText('61 tenants', { exact: true }).waitFor();
  assert.equal(await page.getByRole('listbox', { name: 'Tenants' }).getByRole('option').count(), 61);
  await page.keyboard.press('Escape');
  await playground.chooseTenant('Branch 57');
  await playground.openExample('Roles');
  const answer = await playground.run();
  assert.equal(answer.data.requestTenantContext.tenantIDs.length, 1);
  await playground.close();
});

test('a client without a role at home chooses a tenant by its id', async () => {
  const client = await gateway.createClient('guest', contoso.id);
  const append = 'mutation ($id: ID!, $roles: [ClientRoleAssignmentInput!]!) { appendClientRoles(id: $id, roles: $roles) { id } }';
  const remove = 'mutation ($id: ID!, $roles: [ID!]!) { removeClientRoles(id: $id, roles: $roles) { roleAssignments { id } } }';
  const assignments = 'query ($id: ID!) { client(id: $id) { roleAssignments { id tenantID roleID } } }';
  const [home] = (await gateway.ask(assignments, { id: client.id })).client.roleAssignments;
  await gateway.ask(append, { id: client.id, roles: [{ roleID: home.roleID, tenantID: fabrikam.id }] });
  await gateway.ask(remove, { id: client.id, roles: [home.id] });
  const playground = await open();
  await playground.signIn(client);
  await playground.page.getByText('This client holds no role in its own tenant.').waitFor();
  await playground.chooseTenant(fabrikam.id);
  await playground.openExample('Roles');
  assert.deepEqual((await playground.run()).data.requestTenantContext.tenantIDs, [fabrikam.id]);
  const refused = 'Failed to load resource: the server responded with a status of 403 (Forbidden)';
  assert.ok(playground.complaints.every((complaint) => complaint === refused));
  await playground.close({ complaints: playground.complaints });
});

for (const colorScheme of ['light', 'dark']) {
  test(`${colorScheme} follows the system, and the switch beats it`, async () => {
    const playground = await open({ colorScheme });
    const { page } = playground;
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    await page.screenshot({ path: `${pictures}/sign-in-${colorScheme}.png` });
    await playground.signedIn();
    await playground.chooseTenant(contoso.name);
    await playground.run();
    assert.equal(await theme(), colorScheme);
    await page.mouse.move(700, 600);
    await page.screenshot({ path: `${pictures}/editor-${colorScheme}.png` });

    const other = colorScheme === 'light' ? 'dark' : 'light';
    await page.getByLabel('Theme').selectOption(other);
    assert.equal(await theme(), other);
    await page.reload();
    assert.equal(await theme(), other);
    await playground.close();
  });
}

test('each customer has its own computers, under ids of their own', async () => {
  const playground = await open();
  await playground.signedIn();
  const computers = async (tenant) => {
    await playground.chooseTenant(tenant.name);
    await playground.openExample('Computers');
    return (await playground.run()).data.deepSecurity.computers.nodes;
  };
  const [ofContoso, ofFabrikam] = [await computers(contoso), await computers(fabrikam)];
  const ids = (nodes) => nodes.map(({ id }) => id);
  assert.equal(ofContoso.length, 20);
  assert.equal(new Set([...ids(ofContoso), ...ids(ofFabrikam)]).size, 40);
  assert.ok(ofContoso.every(({ hostName }) => hostName.endsWith('.contoso-retail.example')));
  assert.ok(ofFabrikam.every(({ hostName }) => hostName.endsWith('.fabrikam-energy.example')));
  await playground.close();
});

test('a customer that fails is null beside the others, with an error that gives the reason', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.openExample('EveryCustomer');
  const { data, errors } = await playground.run();
  const found = data.tenants.tenants.map(({ name, deepSecurity }) => [name, deepSecurity.computers?.nodes.length ?? null]);
  assert.deepEqual(found, [[contoso.name, 3], [fabrikam.name, 3], [northwind.name, null]]);
  assert.deepEqual(
    errors.map(({ path, extensions: { code, tenantID, retryable } }) => ({ path, code, tenantID, retryable })),
    [{ path: ['tenants', 'tenants', 2, 'deepSecurity', 'computers'], code: 'UPSTREAM_REJECTED', tenantID: northwind.id, retryable: false }],
  );
  await playground.page.screenshot({ path: `${pictures}/every-customer.png` });
  await playground.close();
});

test('an object created in one customer is in no other', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.chooseTenant(contoso.name);
  await playground.openExample('CreatePolicy');
  const made = (await playground.run()).data.createDeepSecurityPolicy;
  assert.equal(made.intrusionPrevention.state, 'PREVENT');
  await playground.openExample('CreateApiKey');
  const { secretKey, apiKey } = (await playground.run()).data.createDeepSecurityApiKey;
  noteSecret(secretKey);
  assert.equal(apiKey.role.name, 'Full Access');
  const left = `{ deepSecurity { policies(name: "${made.name}") { nodes { id } } apiKeys(name: "${apiKey.keyName}") { nodes { id } } } }`;
  const counts = async ({ id }) => {
    const { policies, apiKeys } = (await gateway.ask(left, {}, id)).deepSecurity;
    return [policies.nodes.length, apiKeys.nodes.length];
  };
  assert.deepEqual([await counts(contoso), await counts(fabrikam)], [[1, 1], [0, 0]]);
  await playground.close();
});

test('the creation of a tenant at the Integration Server is watched to its end', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.openExample('Upstreams');
  const { upstreams } = (await playground.run()).data;
  const { id: upstreamID } = upstreams.find(({ system }) => system === 'INTEGRATION_SERVER');
  await playground.openExample('CreateServerTenant');
  const administrator = { name: 'northwind', password: 'Watched-Here-777' };
  noteSecret(administrator.password);
  const input = { upstreamID, linkTenantID: northwind.id, name: northwind.name, type: 'COMPLETE', administrator };
  await playground.typeVariables({ input });
  const { id } = (await playground.run()).data.createIntegrationServerTenant;

  await playground.openExample('WatchTask');
  await playground.typeVariables({ id });
  const begun = (await playground.run()).data.integrationServerTask;
  assert.notEqual(begun.state, 'COMPLETED', 'it began before its end');
  await playground.answers(({ data: { integrationServerTask: task } }) => task.state === 'RUNNING' && task.progress >= 3);
  await playground.page.screenshot({ path: `${pictures}/watched-task.png` });
  const completed = await playground.answers(({ data }) => data.integrationServerTask.state === 'COMPLETED');
  const { progress, error, result } = completed.data.integrationServerTask;
  assert.deepEqual([progress, error, result.name], [100, null, northwind.name]);
  await playground.status().getByText(/^Completed, \d+ events$/).waitFor();
  await playground.page.screenshot({ path: `${pictures}/completed-task.png` });

  // One socket, which sends token and tenant in its first message: pages cannot set headers.
  const [[init, subscribe, ...more], ...others] = playground.spoken;
  assert.deepEqual([init.type, subscribe.type, more, others], ['connection_init', 'subscribe', [], []]);
  assert.equal(init.payload['X-Tenant-Context'], gateway.tenantID);
  assert.ok(playground.tokens.has(init.payload.Authorization.replace('Bearer ', '')));

  await playground.chooseTenant(northwind.name);
  await playground.openExample('VirtualMachines');
  assert.equal((await playground.run()).data.integrationServer.tenant.name, northwind.name);
  await playground.close();
});

test('the watch of a task of another tenant is refused in the page', async () => {
  const { createIntegrationServerReport: task } = await gateway.ask('mutation { createIntegrationServerReport { id } }', {}, contoso.id);
  const playground = await open();
  await playground.signedIn();
  await playground.chooseTenant(fabrikam.name);
  await playground.openExample('WatchTask');
  await playground.typeVariables({ id: task.id });
  const { errors } = await playground.run();
  assert.equal(errors[0].extensions.code, 'NOT_FOUND');
  await playground.close();
});

test('a report is created and read', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.chooseTenant(fabrikam.name);
  await playground.openExample('ProtectionReport');
  const { id } = (await playground.run()).data.createIntegrationServerReport;
  await playground.openExample('WatchTask');
  await playground.typeVariables({ id });
  await playground.run();
  await playground.answers(({ data }) => data.integrationServerTask.state === 'COMPLETED');
  await playground.openExample('Reports');
  const [{ result }] = (await playground.run()).data.integrationServer.tasks.nodes;
  assert.ok(result.periods.some(({ virtualMachineName }) => virtualMachineName === 'web-01'));
  await playground.close();
});
