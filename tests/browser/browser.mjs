// A driver of the playground in a real Chromium.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { launch } from './chromium.mjs';
import { startDemo } from './gateway.mjs';

export const SIGN_OUT = { role: 'button', name: 'Sign out' };

/** A browser and a demo for the tests of one file, which `prepare` gets before they run; both end after them. */
export function demo(prepare) {
  const made = {};
  before(async () => {
    const browser = launch().then((launched) => (made.browser = launched));
    const gateway = startDemo().then((started) => (made.gateway = started));
    await Promise.all([browser, gateway]);
    await prepare(made);
  });
  after(async () => {
    await made.browser?.close();
    await made.gateway?.end();
  });
}

/** A fresh profile at the playground; `complaints` and `outside` collect events that must not happen. */
export async function openPlayground(browser, gateway, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 820 }, ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const playground = new Playground(page, gateway);
  page.on('console', (message) => message.type() === 'error' && playground.complaints.push(message.text()));
  page.on('pageerror', (error) => playground.complaints.push(String(error)));
  page.on('request', (request) => playground.sent(request));
  page.on('websocket', (socket) => playground.opened(socket));
  await page.goto(`${gateway.url}/`);
  return playground;
}

class Playground {
  complaints = [];
  outside = [];
  tokens = new Set();
  tokenRequests = 0;
  /** The messages that the page sent on each of its sockets. */
  spoken = [];

  constructor(page, gateway) {
    this.page = page;
    this.gateway = gateway;
  }

  sent(request) {
    this.reached(request.url());
    this.tokenRequests += request.url().endsWith('/oauth2/token') ? 1 : 0;
    const authorization = request.headers()['authorization'];
    if (authorization) {
      this.tokens.add(authorization.replace('Bearer ', ''));
    }
  }

  reached(url) {
    const { protocol, host } = new URL(url);
    if (protocol !== 'data:' && host !== new URL(this.gateway.url).host) {
      this.outside.push(url);
    }
  }

  opened(socket) {
    this.reached(socket.url());
    const messages = [];
    this.spoken.push(messages);
    socket.on('framesent', ({ payload }) => messages.push(JSON.parse(payload)));
  }

  async signIn({ clientID, clientSecret } = this.gateway) {
    await this.page.getByLabel('Client id').fill(clientID);
    await this.page.getByLabel('Client secret').fill(clientSecret);
    await this.page.keyboard.press('Enter');
  }

  async signedIn(credentials) {
    await this.signIn(credentials);
    await this.page.getByRole(SIGN_OUT.role, SIGN_OUT).waitFor();
    await this.ready();
  }

  /** Waits for the editor. */
  async ready() {
    await this.editor('Query').waitFor();
  }

  editor(label) {
    return this.page.getByRole('textbox', { name: label });
  }

  picker() {
    return this.page.getByRole('combobox', { name: 'Tenant' });
  }

  location() {
    return this.page.locator('.location');
  }

  runButton() {
    return this.page.getByRole('button', { name: /^Run/ });
  }

  /** Delays responses to tenant searches for this text until the returned function is called. */
  async holdTenantSearch(text) {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    const isHeld = (operation) => operation?.query?.includes('TenantPage') && operation.variables.query.names?.[0] === `*${text}*`;
    await this.page.route('**/graphql', async (route) => {
      if (isHeld(route.request().postDataJSON())) {
        await released;
      }
      await route.continue();
    });
    return release;
  }

  /** Uses only the keyboard, like a person without a mouse. */
  async chooseTenant(name) {
    await this.picker().focus();
    await this.page.keyboard.press('ArrowDown');
    await this.page.keyboard.type(name);
    await this.page.getByRole('option', { name, selected: true }).waitFor();
    await this.page.keyboard.press('Enter');
    await this.ready();
  }

  async openPanel(name) {
    await this.page.getByRole('group', { name: 'Panel' }).getByRole('button', { name }).click();
  }

  /** Opens an example in a tab of its own, or goes to the tab that holds it. */
  async openExample(name) {
    await this.openPanel('Examples');
    await this.page.getByRole('navigation').getByRole('button', { name: new RegExp(`^${name}\\b`) }).click();
    await this.openTabs().getByRole('button', { name, exact: true }).waitFor();
  }

  openTabs() {
    return this.page.getByRole('list', { name: 'Open operations' });
  }

  typeQuery(text) {
    return this.write('Query', text);
  }

  typeVariables(variables) {
    return this.write('Variables', JSON.stringify(variables, null, 2));
  }

  async write(label, text) {
    await this.editor(label).click();
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.insertText(text);
  }

  /** The visible text of an editor; long texts are visible in part. */
  text(label) {
    return this.editor(label).innerText();
  }

  /** Waits until an editor shows a matching text. */
  async shows(label, pattern) {
    await this.editor(label).filter({ hasText: pattern }).waitFor();
  }

  response() {
    return this.page.getByRole('region', { name: 'Response' });
  }

  status() {
    return this.response().getByRole('status');
  }

  /** Runs the operation in the editor and returns the response shown: for a subscription, its first event. */
  async run() {
    await this.clickRun();
    await this.response().getByRole('button', { name: 'Copy the response' }).waitFor();
    return this.answer();
  }

  async clickRun() {
    await this.runButton().click();
    // The previous response disappears with the next frame.
    await this.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  }

  /** The whole response, read through the clipboard. */
  async answer() {
    await this.response().getByRole('button', { name: 'Copy the response' }).click();
    return JSON.parse(await this.page.evaluate(() => navigator.clipboard.readText()));
  }

  /** Waits until the response shown satisfies the predicate. */
  async answers(predicate) {
    for (const deadline = Date.now() + 60_000; ; ) {
      const answer = await this.answer();
      if (predicate(answer)) {
        return answer;
      }
      assert.ok(Date.now() < deadline, `the answer stays ${JSON.stringify(answer)}`);
      await this.page.waitForTimeout(100);
    }
  }

  /** All storage that would outlive the page, as one text. */
  async kept() {
    const page = await this.page.evaluate(async () =>
      JSON.stringify([
        { ...localStorage },
        { ...sessionStorage },
        document.cookie,
        location.href,
        history.state,
        await indexedDB.databases(),
        await caches.keys(),
      ]),
    );
    return page + JSON.stringify(await this.page.context().storageState());
  }

  /** Asserts the conditions at the end of every visit. */
  async close({ complaints = [] } = {}) {
    await this.page.context().close();
    assert.deepEqual(this.complaints, complaints);
    assert.deepEqual(this.outside, []);
  }
}
