// Operations under way when the person changes tenant or tab or leaves, with answers that come late or never.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demo, openPlayground, SIGN_OUT } from './browser.mjs';
import { noteSecret } from './gateway.mjs';

const pictures = process.env.TENANT_GATEWAY_PICTURES;
const MAY_HAVE_RUN = 'The gateway may have carried out the mutation all the same.';
let browser;
let gateway;
let contoso;
let fabrikam;

demo((made) => {
  ({ browser, gateway } = made);
  [contoso, fabrikam] = gateway.customers;
});

/** In Contoso, with an example open. */
async function openIn(example) {
  const playground = await openPlayground(browser, gateway);
  await playground.signedIn();
  await playground.chooseTenant(contoso.name);
  await playground.openExample(example);
  return playground;
}

/** The gateway carries out the operation at once; its answer waits for the returned function. */
async function holdAnswers(page, name) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  let sent = 0;
  await page.route('**/graphql', async (route) => {
    if (!route.request().postDataJSON()?.query?.includes(name)) {
      return route.continue();
    }
    sent += 1;
    const response = await route.fetch();
    await released;
    // The page may have stopped to listen.
    return route.fulfill({ response }).catch(() => {});
  });
  return { release, sent: () => sent };
}

/** Cuts off the answers to an operation that was sent, once the returned function is called. */
async function cutOff(page, name) {
  let cut;
  const isCut = new Promise((resolve) => (cut = resolve));
  await page.route('**/graphql', async (route) => {
    if (!route.request().postDataJSON()?.query?.includes(name)) {
      return route.continue();
    }
    await isCut;
    return route.abort();
  });
  return cut;
}

/** Whether the browser would ask before it leaves the page. */
const asksBeforeLeaving = ({ page }) => page.evaluate(() => !dispatchEvent(new Event('beforeunload', { cancelable: true })));

/** Clicks Sign out and gives back the question, which is answered as told. */
async function signOutAsked({ page }, answer) {
  const asked = page.waitForEvent('dialog');
  // The click ends with the dialog.
  const clicked = page.getByRole(SIGN_OUT.role, SIGN_OUT).click();
  const dialog = await asked;
  const message = dialog.message();
  await dialog[answer]();
  await clicked;
  return message;
}

/** A question would be answered with No, and the page stay. */
async function signOutUnasked({ page }) {
  await page.getByRole(SIGN_OUT.role, SIGN_OUT).click();
  await page.getByLabel('Client secret').waitFor();
}

async function keepHistory(playground) {
  await playground.openPanel('History');
  await playground.page.getByRole('checkbox', { name: 'Keep tabs and history in this browser' }).check();
}

/** The titles in the history that this browser keeps, and whether an answer came. */
async function keptHistory({ page }) {
  const { history } = await page.evaluate(() => JSON.parse(localStorage.getItem('tenant-gateway:work')));
  return history.map(({ title, unanswered }) => [title, unanswered]);
}

const REFUSED = 'Failed to load resource: the server responded with a status of 401 (Unauthorized)';

const alertOf = ({ page }) => page.getByRole('alert').filter({ hasText: /./ });

const notices = (playground) => playground.response().getByRole('list', { name: 'Sent elsewhere' });

test('a mutation goes on over a change of tenant, and its answer is kept with its tenant', async () => {
  const playground = await openIn('CreateClient');
  const { page } = playground;
  const { release } = await holdAnswers(page, 'createClient');
  await playground.clickRun();
  await playground.chooseTenant(fabrikam.name);
  const notice = notices(playground).getByRole('listitem');
  assert.match(await notice.innerText(), new RegExp(`^CreateClient in ${contoso.name} ${contoso.id.slice(0, 8)}: still running there`));
  assert.equal(await playground.status().innerText(), '');
  await page.screenshot({ path: `${pictures}/mutation-elsewhere.png` });
  release();
  await notice.getByText('answered without errors').waitFor();
  assert.equal((await playground.text('Response')).trim(), '', 'no answer of one tenant stands in another unasked');

  const show = notice.getByRole('button', { name: `Show the answer of CreateClient in ${contoso.name}` });
  await show.click();
  await playground.status().getByText(`From ${contoso.name}`).waitFor();
  await page.screenshot({ path: `${pictures}/answer-from-elsewhere.png` });
  const { clientSecret, client } = (await playground.answer()).data.createClient;
  noteSecret(clientSecret);
  const found = 'query ($id: ID!) { client(id: $id) { tenantID } }';
  assert.equal((await gateway.ask(found, { id: client.id })).client.tenantID, contoso.id);
  await show.click();
  assert.equal(await playground.status().innerText(), '');
  await notice.getByRole('button', { name: /^Dismiss/ }).click();
  await notices(playground).waitFor({ state: 'detached' });
  await playground.close();
});

test('an answer that came elsewhere is found in its tenant again', async () => {
  const playground = await openIn('CreateClient');
  const { release } = await holdAnswers(playground.page, 'createClient');
  await playground.clickRun();
  await playground.chooseTenant(fabrikam.name);
  release();
  await notices(playground).getByText('answered without errors').waitFor();
  await playground.chooseTenant(contoso.name);
  noteSecret((await playground.answer()).data.createClient.clientSecret);
  assert.equal(await notices(playground).count(), 0);
  await playground.close();
});

test('a query that is stopped by a change of tenant says so', async () => {
  const playground = await openIn('Computers');
  const { page } = playground;
  const { release } = await holdAnswers(page, 'query Computers');
  const aborted = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/graphql'));
  await playground.clickRun();
  await playground.chooseTenant(fabrikam.name);
  await aborted;
  const text = await notices(playground).innerText();
  assert.match(text, new RegExp(`^Computers in ${contoso.name} .*: It was stopped when the tenant changed\\.`));
  release();
  await page.unroute('**/graphql');
  const { nodes } = (await playground.run()).data.deepSecurity.computers;
  assert.ok(nodes.every(({ hostName }) => hostName.endsWith('.fabrikam-energy.example')));
  assert.equal(await notices(playground).count(), 0, 'a new run takes its place');
  await playground.close();
});

test('a subscription that is stopped by a change of tenant says so', async () => {
  const { createIntegrationServerReport: task } = await gateway.ask('mutation { createIntegrationServerReport { id } }', {}, contoso.id);
  const playground = await openIn('WatchTask');
  await playground.typeVariables({ id: task.id });
  await playground.clickRun();
  await playground.page.getByRole('button', { name: 'Stop', exact: true }).waitFor();
  await playground.chooseTenant(fabrikam.name);
  assert.match(await notices(playground).innerText(), /^WatchTask in .*: It was stopped when the tenant changed\./);
  await playground.close();
});

test('a mutation goes on when its tab is closed, and signing out asks before its answer is lost', async () => {
  const playground = await openIn('CreateClient');
  const { page } = playground;
  const { release } = await holdAnswers(page, 'createClient');
  await playground.clickRun();
  await playground.openTabs().getByRole('button', { name: 'Close CreateClient' }).click();
  await notices(playground).getByText('still running there').waitFor();
  assert.match(await signOutAsked(playground, 'dismiss'), new RegExp(`lose the answer of CreateClient in ${contoso.name}`));
  release();
  await notices(playground).getByText('answered without errors').waitFor();
  await notices(playground).getByRole('button', { name: /^Show the answer/ }).click();
  noteSecret((await playground.answer()).data.createClient.clientSecret);
  await playground.close();
});

test('a mutation under way is not sent again, and the page is not left without a word', async () => {
  const playground = await openIn('CreateClient');
  const { page } = playground;
  const { release, sent } = await holdAnswers(page, 'createClient');
  await playground.editor('Query').click();
  await page.keyboard.press('ControlOrMeta+Enter');
  await page.getByRole('button', { name: 'Stop', exact: true }).waitFor();
  await page.keyboard.press('ControlOrMeta+Enter');
  const asked = page.waitForEvent('dialog');
  await page.evaluate(() => void setTimeout(() => location.reload()));
  const dialog = await asked;
  assert.equal(dialog.type(), 'beforeunload');
  await dialog.dismiss();
  release();
  noteSecret((await playground.answer()).data.createClient.clientSecret);
  assert.equal(sent(), 1);
  await playground.close();
});

test('a mutation whose answer is lost may have been carried out, as page and history say', async () => {
  const playground = await openIn('CreateTenant');
  const { page } = playground;
  await page.route('**/graphql', (route) => route.abort());
  await playground.clickRun();
  await playground.status().getByText(`The gateway cannot be reached. Is it running? ${MAY_HAVE_RUN}`).waitFor();
  await page.unroute('**/graphql');
  const proxy = { status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' };
  await page.route('**/graphql', (route) => route.fulfill(proxy));
  await playground.clickRun();
  await playground.status().getByText(`status 502 and no JSON. ${MAY_HAVE_RUN}`).waitFor();
  await playground.openPanel('History');
  const entries = page.getByRole('navigation').getByRole('button', { name: /^CreateTenant\s*no answer/ });
  assert.equal(await entries.count(), 2);
  assert.equal(playground.complaints.length, 2);
  await playground.close({ complaints: playground.complaints });
});

test('a token that cannot be renewed for now leaves the person signed in, and nothing is sent', async () => {
  const playground = await openIn('CreateTenant');
  const { page } = playground;
  let sent = 0;
  page.on('request', (request) => (sent += request.url().endsWith('/graphql') ? 1 : 0));
  await page.clock.setFixedTime(Date.now() + (3600 - 20) * 1000);
  await page.context().setOffline(true);
  await playground.clickRun();
  await playground.status().getByText('The gateway cannot be reached.', { exact: true }).waitFor();
  assert.equal(sent, 0);
  await page.context().setOffline(false);
  assert.equal((await playground.run()).errors, undefined);
  await playground.close({ complaints: ['Failed to load resource: net::ERR_INTERNET_DISCONNECTED'] });
});

test('a session that ends names the mutations to which no answer came', async () => {
  const client = await gateway.createClient('soon closed', contoso.id);
  const playground = await openPlayground(browser, gateway);
  await playground.signedIn(client);
  await keepHistory(playground);
  await playground.openExample('CreateTenant');
  await holdAnswers(playground.page, 'createTenant');
  await playground.clickRun();
  await gateway.ask('mutation ($id: ID!) { deleteClient(id: $id) { id } }', { id: client.id });
  await playground.openExample('Roles');
  await playground.clickRun();
  const told = await alertOf(playground).textContent();
  assert.match(told, /^The gateway does not accept this client/);
  assert.ok(told.endsWith(`No answer came to CreateTenant in ${contoso.name}. ${MAY_HAVE_RUN}`), told);
  assert.deepEqual(await keptHistory(playground), [['CreateTenant', true]]);
  assert.ok(playground.complaints.every((complaint) => complaint === REFUSED));
  await playground.close({ complaints: playground.complaints });
});

test('signing out records the mutations to which no answer came', async () => {
  const playground = await openIn('CreateTenant');
  await keepHistory(playground);
  await holdAnswers(playground.page, 'createTenant');
  await playground.clickRun();
  assert.match(await signOutAsked(playground, 'accept'), /lose the answer of CreateTenant/);
  await playground.page.getByLabel('Client secret').waitFor();
  assert.deepEqual(await keptHistory(playground), [['CreateTenant', true]]);
  await playground.close();
});

test('a mutation that waits for its token can be stopped, and is not recorded', async () => {
  const playground = await openIn('CreateTenant');
  const { page } = playground;
  await keepHistory(playground);
  await page.clock.setFixedTime(Date.now() + (3600 - 20) * 1000);
  await page.route('**/oauth2/token', () => {});
  await playground.clickRun();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await playground.status().getByText('Stopped. It was not carried out.').waitFor();
  await playground.clickRun();
  assert.match(await signOutAsked(playground, 'accept'), /lose the answer of CreateTenant/);
  await page.getByLabel('Client secret').waitFor();
  assert.deepEqual(await keptHistory(playground), []);
  await playground.close();
});

test('mutations that are refused at the end of a session are neither recorded nor named', async () => {
  const client = await gateway.createClient('soon closed', contoso.id);
  const playground = await openPlayground(browser, gateway);
  const { page } = playground;
  await playground.signedIn(client);
  await keepHistory(playground);
  let deleted;
  const isDeleted = new Promise((resolve) => (deleted = resolve));
  let refuse;
  const areRefused = new Promise((resolve) => (refuse = resolve));
  let refusals = 0;
  page.on('response', (response) => {
    refusals += response.url().endsWith('/graphql') && response.status() === 401 ? 1 : 0;
    if (refusals === 2) {
      refuse();
    }
  });
  await page.route('**/graphql', (route) => isDeleted.then(() => route.continue()));
  await page.route('**/oauth2/token', (route) => areRefused.then(() => route.continue()));
  for (const example of ['CreateTenant', 'CreateClient']) {
    await playground.openExample(example);
    await playground.clickRun();
  }
  await gateway.ask('mutation ($id: ID!) { deleteClient(id: $id) { id } }', { id: client.id });
  deleted();
  const told = await alertOf(playground).textContent();
  assert.match(told, /^The gateway does not accept this client id with this secret\.$/);
  assert.deepEqual(await keptHistory(playground), []);
  await playground.close({ complaints: [REFUSED, REFUSED, REFUSED] });
});

test('the answer of a mutation that comes while another tab is open is kept until it was seen', async () => {
  const playground = await openIn('CreateClient');
  const { page } = playground;
  const { release } = await holdAnswers(page, 'createClient');
  await playground.clickRun();
  await playground.openExample('Roles');
  await notices(playground).getByText('still running there').waitFor();
  release();
  await notices(playground).getByText('answered without errors').waitFor();
  assert.equal(await asksBeforeLeaving(playground), true);
  assert.match(await signOutAsked(playground, 'dismiss'), new RegExp(`lose the answer of CreateClient in ${contoso.name}`));
  await playground.chooseTenant(fabrikam.name);
  await notices(playground).getByText('answered without errors').waitFor();
  await playground.openTabs().getByRole('button', { name: 'Close CreateClient' }).click();
  await notices(playground).getByRole('button', { name: /^Show the answer/ }).click();
  await playground.status().getByText(`From ${contoso.name}`).waitFor();
  noteSecret((await playground.answer()).data.createClient.clientSecret);
  await notices(playground).getByRole('button', { name: /^Dismiss/ }).click();
  assert.equal(await asksBeforeLeaving(playground), false);
  await signOutUnasked(playground);
  await playground.close();
});

test('an answer that was seen in its tab and tenant is not asked about any more', async () => {
  const playground = await openIn('CreateClient');
  const { page } = playground;
  const { release } = await holdAnswers(page, 'createClient');
  await playground.clickRun();
  await playground.openExample('Roles');
  await playground.chooseTenant(fabrikam.name);
  release();
  await notices(playground).getByText('answered without errors').waitFor();
  await playground.chooseTenant(contoso.name);
  assert.equal(await asksBeforeLeaving(playground), true, 'its tab is not open');
  await playground.openTabs().getByRole('button', { name: 'CreateClient', exact: true }).click();
  noteSecret((await playground.answer()).data.createClient.clientSecret);
  assert.equal(await asksBeforeLeaving(playground), false);
  await playground.openTabs().getByRole('button', { name: 'Roles', exact: true }).click();
  assert.equal(await notices(playground).count(), 0);
  await signOutUnasked(playground);
  await playground.close();
});

test('the end of a mutation takes the place of an answer from elsewhere', async () => {
  const playground = await openIn('CreateClient');
  const { page } = playground;
  const first = await holdAnswers(page, 'createClient');
  await playground.clickRun();
  await playground.openExample('CreateTenant');
  const second = await holdAnswers(page, 'createTenant');
  await playground.clickRun();
  first.release();
  await notices(playground).getByRole('button', { name: /^Show the answer/ }).click();
  noteSecret((await playground.answer()).data.createClient.clientSecret);
  second.release();
  assert.ok((await playground.answers(({ data }) => data.createTenant)).data.createTenant);
  await playground.close();
});

test('a mutation that runs elsewhere can be stopped, and is not asked about any more', async () => {
  const playground = await openIn('CreateTenant');
  await holdAnswers(playground.page, 'createTenant');
  await playground.clickRun();
  await playground.chooseTenant(fabrikam.name);
  await notices(playground).getByRole('button', { name: `Stop CreateTenant in ${contoso.name}` }).click();
  await notices(playground).getByText(`Stopped. ${MAY_HAVE_RUN}`).waitFor();
  assert.equal(await asksBeforeLeaving(playground), false);
  await playground.openPanel('History');
  await playground.page.getByRole('navigation').getByRole('button', { name: /^CreateTenant\s*no answer/ }).waitFor();
  await playground.chooseTenant(contoso.name);
  await playground.status().getByText(`Stopped. ${MAY_HAVE_RUN}`).waitFor();
  await signOutUnasked(playground);
  await playground.close();
});

test('a mutation that failed elsewhere has no answer to lose, as question and notice say', async () => {
  const client = await gateway.createClient('soon closed', contoso.id);
  const playground = await openPlayground(browser, gateway);
  await playground.signedIn(client);
  await playground.openExample('CreateTenant');
  const cut = await cutOff(playground.page, 'createTenant');
  await playground.clickRun();
  await playground.openExample('Roles');
  cut();
  await notices(playground).getByText(MAY_HAVE_RUN).waitFor();
  const unanswered = `No answer came to CreateTenant in ${contoso.name}. ${MAY_HAVE_RUN}`;
  assert.equal(await signOutAsked(playground, 'dismiss'), `Sign out? ${unanswered}`);
  await gateway.ask('mutation ($id: ID!) { deleteClient(id: $id) { id } }', { id: client.id });
  await playground.clickRun();
  const told = await alertOf(playground).textContent();
  assert.ok(told.endsWith(`secret. ${unanswered}`), told);
  await playground.close({ complaints: playground.complaints });
});
