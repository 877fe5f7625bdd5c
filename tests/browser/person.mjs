// A person with a password and an authenticator app, who signs in on the gateway's own pages.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { noteSecret } from './gateway.mjs';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Invites a person with that role and accepts the invitation in the page, which is signed in afterwards; `see` is told each page. */
export async function inviteInto(page, gateway, role, see = async () => {}) {
  const query = 'mutation ($input: InviteUserInput!) { inviteUser(input: $input) { inviteURL } }';
  const email = `anna-${randomBytes(4).toString('hex')}@partner.example`;
  const { inviteURL } = (await gateway.ask(query, { input: { email, name: 'Anna', roles: [role] } })).inviteUser;
  const password = `quiet lantern ${randomBytes(12).toString('hex')}`;
  noteSecret(password);
  await page.goto(inviteURL);
  await see('invitation');
  await page.locator('input[name=password]').fill(password);
  await submit(page);
  await page.getByRole('heading', { name: 'Set up an authenticator app' }).waitFor();
  await see('authenticator app');
  const uri = await page.locator('a[href^="otpauth:"]').getAttribute('href');
  await page.locator('input[name=code]').fill(totp(new URL(uri)));
  await submit(page);
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  await see('recovery codes');
  const recoveryCodes = await page.locator('li code').allInnerTexts();
  recoveryCodes.filter((code) => code.length >= 16).forEach(noteSecret);
  return { email, password, recoveryCodes };
}

/** Signs in: fills in the form and the second step. */
export async function signInAs(page, { email, password, recoveryCodes }) {
  await page.locator('input[name=email]').fill(email);
  await page.locator('input[name=password]').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.locator('input[name=code]').fill(recoveryCodes.pop());
  await submit(page);
}

function submit(page) {
  return page.locator('main form button[type=submit], form button[type=submit]').first().click();
}

/** The current code (RFC 6238). */
function totp(uri) {
  noteSecret(uri.searchParams.get('secret'));
  const bits = [...uri.searchParams.get('secret')].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const algorithm = (uri.searchParams.get('algorithm') ?? 'SHA1').toLowerCase();
  const digits = Number(uri.searchParams.get('digits') ?? 6);
  assert.equal(uri.searchParams.get('period') ?? '30', '30');
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac(algorithm, key).update(counter).digest();
  const offset = mac.at(-1) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}
