// People: their browser, their password and their second factor.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { URI } from 'otpauth';
import { noteSecret } from './processes.mjs';

const STEP = 30;

let count = 0;

/** A person in a fresh profile of the browser. */
export async function newPerson(browser, gateway, { options = {}, email = `ana-${(count += 1)}@north.example` } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 820 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const password = `quiet lantern ${randomBytes(12).toString('hex')}`;
  noteSecret(password);
  return new Person(page, gateway, email, password);
}

/** A person who was invited, has a password and an authenticator app, and is signed in. */
export async function newMember(browser, gateway, { role, tenant, ...rest } = {}) {
  const person = await newPerson(browser, gateway, rest);
  await person.openInvitation(await gateway.invite(person.email, { role, tenant }));
  await person.setPassword();
  await person.enrolApp();
  return person;
}

/** A platform authenticator whose owner always consents. */
export async function addAuthenticator(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const keeps = { hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  const options = { protocol: 'ctap2', transport: 'internal', automaticPresenceSimulation: true, ...keeps };
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options });
}

class Person {
  complaints = [];
  recoveryCodes = [];
  #totp;
  #lastStep = 0;

  constructor(page, gateway, email, password) {
    Object.assign(this, { page, gateway, email, password });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      // The browser logs each refused form by itself.
      const isStatus = message.text().startsWith('Failed to load resource: the server responded with a status of 4');
      // Pages of other sites may log errors of their own.
      const isOwn = message.location().url.startsWith(gateway.url);
      if (message.type() === 'error' && isOwn && !isStatus) {
        this.complaints.push(message.text());
      }
    });
  }

  go(path) {
    return this.page.goto(path.startsWith('http') ? path : `${this.gateway.url}${path}`);
  }

  heading() {
    return this.page.getByRole('heading', { level: 1 });
  }

  async sees(heading) {
    await this.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
  }

  alert() {
    return this.page.getByRole('alert').filter({ hasText: /./ });
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  press(name) {
    return this.button(name).click();
  }

  link(name) {
    return this.page.getByRole('link', { name, exact: true });
  }

  field(label) {
    return this.page.getByLabel(label, { exact: true });
  }

  async openInvitation({ userID, inviteURL }) {
    this.id = userID;
    await this.go(inviteURL);
    await this.sees('Set your password');
  }

  async setPassword(password = this.password) {
    await this.field('New password').fill(password);
    await this.press('Set password');
  }

  /** Sets up the authenticator app whose key the page shows, and saves the recovery codes. */
  async enrolApp() {
    await this.sees('Set up an authenticator app');
    await this.readKey();
    await this.field('Code that the app shows').fill(this.code());
    await this.press('Continue');
    await this.saveRecoveryCodes();
    await this.link('I have saved them').click();
    await this.sees('Your account');
  }

  async readKey() {
    const uri = await this.page.locator('a[href^="otpauth:"]').getAttribute('href');
    this.#totp = URI.parse(uri);
    noteSecret(this.#totp.secret.base32);
  }

  async saveRecoveryCodes() {
    await this.sees('Save your recovery codes');
    this.recoveryCodes = await this.page.locator('code').allTextContents();
    assert.equal(this.recoveryCodes.length, 10);
    noteSecret(...this.recoveryCodes);
  }

  /** A code of the app: the current one or, if that was used, the next one, which the permitted drift accepts; else a recovery code. */
  code() {
    const now = Math.floor(Date.now() / 1000 / STEP);
    const step = Math.max(now, this.#lastStep + 1);
    if (step > now + 1) {
      return this.recoveryCodes.pop();
    }
    this.#lastStep = step;
    return this.#totp.generate({ timestamp: step * STEP * 1000 });
  }

  async enterPassword(password = this.password) {
    await this.sees('Sign in');
    await this.field('E-mail address').fill(this.email);
    await this.field('Password').fill(password);
    await this.press('Sign in');
  }

  async enterCode(code = this.code()) {
    await this.sees('Enter your code');
    await this.page.locator('#code').fill(code);
    await this.press('Continue');
  }

  async signIn() {
    await this.enterPassword();
    await this.enterCode();
  }

  async signOut() {
    await this.page.getByRole('navigation', { name: 'Account' }).getByRole('button', { name: 'Sign out' }).click();
    await this.sees('Sign in');
  }

  /** Reads the request of a program, and compares the code. */
  async seesRequest(program) {
    await this.sees('Connect a device');
    await this.button('Approve').waitFor();
    const text = await this.page.getByRole('main').innerText();
    for (const part of [program, '127.0.0.1']) {
      assert.ok(text.includes(part), `${part} is not in: ${text}`);
    }
    return text;
  }

  async approve() {
    await this.press('Approve');
    await this.sees('Device connected');
  }

  async deny() {
    await this.press('Deny');
    await this.sees('Request denied');
  }

  cookies() {
    return this.page.context().cookies();
  }

  async cookie(name) {
    return (await this.cookies()).find((cookie) => cookie.name === name)?.value;
  }

  /** Asserts the conditions at the end of every visit. */
  async leave() {
    await this.page.context().close();
    assert.deepEqual(this.complaints, []);
  }
}
