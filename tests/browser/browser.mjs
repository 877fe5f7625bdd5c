// A real Chromium that reaches nothing but the gateway, and the playground as a person sees it.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

export const SIGN_OUT = { role: 'button', name: 'Sign out' };

export function launch() {
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  const closed = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1';
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Chromium's own sandbox does not work for root.
    args: [...quiet, '--disable-component-update', '--disable-sync', closed, ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
  });
}

/** A fresh profile at the playground; `complaints` and `outside` gather what must not happen. */
export async function openPlayground(browser, gateway, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 820 }, ...options });
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
  /** What the page said on each of its sockets. */
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

  /** The editor is there and knows the schema. */
  async ready() {
    await this.page.locator('.graphiql-query-editor .CodeMirror').waitFor();
    await this.page.locator('.graphiql-spinner').waitFor({ state: 'detached' });
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

  /** Holds back the answers to tenant searches for this text until the function it returns is called. */
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

  /** By keyboard alone, as somebody without a mouse does it. */
  async chooseTenant(name) {
    await this.picker().focus();
    await this.page.keyboard.press('ArrowDown');
    await this.page.keyboard.type(name);
    await this.page.getByRole('option', { name, selected: true }).waitFor();
    await this.page.keyboard.press('Enter');
    await this.ready();
  }

  tab(name) {
    return this.page.getByRole('tablist').getByRole('button', { name, exact: true });
  }

  async openTab(name) {
    await this.tab(name).click();
  }

  type(query) {
    return this.write('.graphiql-query-editor', query);
  }

  typeVariables(variables) {
    return this.write('.graphiql-editor-tool', JSON.stringify(variables, null, 2));
  }

  async write(place, text) {
    const editor = this.page.locator(`${place} .CodeMirror`).first();
    await editor.evaluate((element, text) => element.CodeMirror.setValue(text), text);
  }

  /** Waits until the answer on the screen is like this. */
  async answers(pattern) {
    const shown = (source) => {
      const editor = document.querySelector('.result-window .CodeMirror')?.CodeMirror;
      return new RegExp(source).test(editor?.getValue());
    };
    await this.page.waitForFunction(shown, pattern.source, { timeout: 60_000 });
  }

  async scrollAnswerTo(text) {
    const editor = this.page.locator('.result-window .CodeMirror');
    await editor.evaluate(({ CodeMirror: editor }, text) => {
      const line = editor.getValue().split('\n').findIndex((line) => line.includes(text));
      editor.scrollIntoView({ line, ch: 0 }, 200);
    }, text);
  }

  /** Runs what stands in the editor and gives back the answer shown. */
  async run() {
    await this.runButton().click();
    await this.page.waitForFunction(() => {
      const editor = document.querySelector('.result-window .CodeMirror')?.CodeMirror;
      return editor?.getValue() && !document.querySelector('.graphiql-spinner');
    });
    return JSON.parse(await this.text('.result-window'));
  }

  /** What an editor of the page shows. */
  async text(place) {
    const editor = this.page.locator(`${place} .CodeMirror`).first();
    return editor.evaluate((element) => element.CodeMirror.getValue());
  }

  /** Everything that would outlive the page, as one text. */
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

  /** What holds at the end of every visit. */
  async close({ complaints = [] } = {}) {
    await this.page.context().close();
    assert.deepEqual(this.complaints, complaints);
    assert.deepEqual(this.outside, []);
  }
}
