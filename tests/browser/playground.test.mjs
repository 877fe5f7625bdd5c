import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPlayground, SIGN_OUT } from './browser.mjs';
import { noteSecret, startDemo } from './gateway.mjs';
import { subscriptionsOverWebSocket } from './subscriptions.mjs';

const pictures = process.env.TENANT_GATEWAY_PICTURES;
let browser;
let gateway;
let contoso;
let fabrikam;

before(async () => {
  [browser, gateway] = await Promise.all([launch(), startDemo()]);
  assert.ok(gateway.playgroundURL, 'the binary has no playground: see the warning of cargo build');
  [contoso, fabrikam] = gateway.customers;
  await gateway.createClient('contoso backup', contoso.id);
  await gateway.createClient('fabrikam backup', fabrikam.id);
});

after(async () => {
  await browser?.close();
  await gateway?.end();
});

const open = (options) => openPlayground(browser, gateway, options);

test('a wrong secret is said clearly', async () => {
  const playground = await open();
  await playground.signIn({ clientID: gateway.clientID, clientSecret: 'tgw_wrong' });
  const alert = playground.page.getByRole('alert').filter({ hasText: /./ });
  assert.equal(await alert.textContent(), 'The gateway does not accept this client id with this secret.');
  await playground.page.screenshot({ path: `${pictures}/wrong-secret.png` });
  await playground.signedIn();
  // The browser itself notes the refused request.
  await playground.close({ complaints: ['Failed to load resource: the server responded with a status of 401 (Unauthorized)'] });
});

test('a query sees the clients of the chosen tenant only', async () => {
  const playground = await open();
  await playground.signedIn();
  assert.match(await playground.text('.graphiql-editor-tool'), /"name": "%%"/);
  const names = async () => (await playground.run()).data.clientsSearch.results.map(({ name }) => name);
  assert.deepEqual(await names(), ['administrator', 'contoso backup', 'fabrikam backup']);

  await playground.chooseTenant(contoso.name);
  assert.equal(await playground.text('.result-window'), '', 'no answer of one tenant stays on the screen of another');
  assert.deepEqual(await names(), ['contoso backup']);

  await playground.chooseTenant(fabrikam.name);
  assert.deepEqual(await names(), ['fabrikam backup']);
  await playground.close();
});

test('what is typed survives a change of tenant', async () => {
  const playground = await open();
  await playground.signedIn();
  const tabs = playground.page.getByRole('tab');
  const before = await tabs.count();
  for (const tenant of [contoso, fabrikam]) {
    await playground.openTab('CreateClient');
    // GraphiQL keeps its tabs after half a second.
    await playground.page.waitForTimeout(700);
    await playground.chooseTenant(tenant.name);
    assert.match(await playground.text('.graphiql-editor-tool'), /my_awesome_app/);
  }
  await playground.type('query Mine { requestTenantContext { tenantIDs } }');
  await playground.page.waitForTimeout(700);
  await playground.chooseTenant(contoso.name);
  const answer = await playground.run();
  assert.deepEqual(answer.data.requestTenantContext.tenantIDs, [contoso.id]);
  assert.equal(await tabs.count(), before);
  await playground.close();
});

test('neither secret nor token outlives the page', async () => {
  const playground = await open();
  await playground.signedIn();
  await playground.openTab('CreateClient');
  const { clientSecret } = (await playground.run()).data.createClient;
  noteSecret(clientSecret);
  await playground.chooseTenant(contoso.name);
  await playground.page.waitForTimeout(700);
  const kept = await playground.kept();
  for (const secret of [gateway.clientSecret, clientSecret, ...playground.tokens]) {
    noteSecret(secret);
    assert.ok(!kept.includes(secret));
  }
  assert.ok(!kept.includes('graphiql:'), 'the editor keeps nothing either');
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
  await playground.page.getByRole('button', { name: /^Execute query/ }).click();
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
  assert.equal(await playground.page.locator('.graphiql-container').count(), 0);
  await playground.close();
});

test('there is a tab for each capability', async () => {
  const playground = await open();
  await playground.signedIn();
  for (const name of ['Clients', 'CreateClient', 'RotateSecret', 'DeleteClient', 'TenantList', 'CreateTenant', 'Roles', 'AuditLog']) {
    await playground.tab(name).waitFor();
  }
  for (const name of ['Clients', 'TenantList', 'Roles', 'AuditLog']) {
    await playground.openTab(name);
    assert.equal((await playground.run()).errors, undefined, name);
  }
  await playground.close();
});

test('panels and dialogs keep to the content security policy', async () => {
  const playground = await open();
  await playground.signedIn();
  const { page } = playground;
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByRole('link', { name: 'Query', exact: true }).first().click();
  await page.getByText('Everything that can be asked.').waitFor();
  await page.screenshot({ path: `${pictures}/documentation.png` });
  await page.getByRole('button', { name: 'Show History' }).click();
  for (const name of ['Open short keys dialog', 'Open settings dialog']) {
    await page.getByRole('button', { name }).click();
    await page.getByRole('dialog').waitFor();
    await page.screenshot({ path: `${pictures}/${name.split(' ')[1]}-dialog.png` });
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }
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
  await playground.openTab('Roles');
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
  await playground.openTab('Roles');
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
    await page.locator(`body.graphiql-${other}`).waitFor();
    await page.reload();
    assert.equal(await theme(), other);
    await playground.close();
  });
}

test('subscriptions go over a WebSocket that says who and where', async () => {
  const sockets = [];
  const playground = await open({ before: (page) => subscriptionsOverWebSocket(page, sockets) });
  await playground.signedIn();
  await playground.chooseTenant(contoso.name);
  await playground.type('subscription Ticks { tick }');
  const answer = await playground.run();
  assert.ok(answer.data.tick >= 1);
  await playground.page.waitForFunction(() => document.querySelector('.result-window .CodeMirror').CodeMirror.getValue().includes('3'));
  assert.equal(sockets.length, 1);
  const [{ protocol, payload }] = sockets;
  assert.equal(protocol, 'graphql-transport-ws');
  assert.equal(payload['X-Tenant-Context'], contoso.id);
  assert.ok(playground.tokens.has(payload.Authorization.replace('Bearer ', '')));
  await playground.close();
});
