// Every page by keyboard alone, without script.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway } from './gateway.mjs';
import { launch } from './chromium.mjs';
import { newPerson } from './people.mjs';
import { PollingProgram } from './program.mjs';

let browser;
let gateway;

before(async () => {
  [browser, gateway] = await Promise.all([launch(), startGateway()]);
});

after(async () => {
  await browser?.close();
  await gateway?.end();
});

const TABS_MAX = 25;

/** Presses Tab until the control has the focus. Each stop must show the focus. */
async function reach(person, control) {
  const isFocused = () => control.evaluate((element) => element === element.ownerDocument.activeElement);
  for (let tabs = 0; !(await isFocused()); tabs += 1) {
    assert.ok(tabs < TABS_MAX, `Tab does not lead to ${control}`);
    await person.page.keyboard.press('Tab');
  }
  const outline = await control.evaluate((element) => {
    const { outlineStyle, outlineWidth } = element.ownerDocument.defaultView.getComputedStyle(element);
    return { outlineStyle, width: Number.parseFloat(outlineWidth) };
  });
  assert.ok(outline.outlineStyle === 'solid' && outline.width >= 2, `the focus on ${control} is not seen`);
}

async function type(person, control, text) {
  await reach(person, control);
  await person.page.keyboard.press('ControlOrMeta+A');
  await person.page.keyboard.type(text);
}

async function press(person, control) {
  await reach(person, control);
  await person.page.keyboard.press('Enter');
}

test('invitation, app, account, device and sign-out', async () => {
  const ana = await newPerson(browser, gateway, { options: { javaScriptEnabled: false } });
  await ana.openInvitation(await gateway.invite(ana.email));
  await type(ana, ana.field('New password'), ana.password);
  await press(ana, ana.button('Set password'));
  await ana.sees('Set up an authenticator app');
  await ana.readKey();
  await press(ana, ana.page.locator('summary'));
  await ana.page.locator('.key').waitFor();
  await press(ana, ana.link('Use a passkey instead'));
  await ana.sees('Set up a passkey');
  // Locators by text ignore `noscript`.
  await ana.page.locator('noscript p', { hasText: 'A passkey needs scripts.' }).waitFor();
  await press(ana, ana.link('Use an authenticator app instead'));
  await ana.sees('Set up an authenticator app');
  await ana.readKey();
  await type(ana, ana.field('Code that the app shows'), ana.code());
  await press(ana, ana.button('Continue'));
  await ana.saveRecoveryCodes();
  await press(ana, ana.link('I have saved them'));
  await ana.sees('Your account');

  const [first, second] = [await new PollingProgram(gateway).ask(), await new PollingProgram(gateway).ask()];
  await ana.go(first.verification_uri);
  await type(ana, ana.field('Code'), first.user_code);
  await press(ana, ana.button('Continue'));
  await press(ana, ana.button('Approve'));
  await ana.sees('Device connected');
  assert.ok((await first.poll()).access_token);
  await ana.go(second.verification_uri_complete);
  await press(ana, ana.button('Deny'));
  await ana.sees('Request denied');
  assert.equal((await second.poll()).error, 'access_denied');
  await press(ana, ana.link('Your account'));
  await ana.sees('Your account');
  await press(ana, ana.button('Sign out'));

  await ana.sees('Sign in');
  assert.equal(await ana.button('Use a passkey').isVisible(), false, 'nothing is offered that needs scripts');
  await type(ana, ana.field('E-mail address'), ana.email);
  await type(ana, ana.field('Password'), 'not the password of anybody');
  await ana.page.keyboard.press('Enter');
  await ana.alert().waitFor();
  await type(ana, ana.field('Password'), ana.password);
  await press(ana, ana.button('Sign in'));
  await ana.sees('Enter your code');
  await type(ana, ana.page.locator('#code'), ana.recoveryCodes.pop());
  await press(ana, ana.button('Continue'));
  await ana.sees('Your account');
  await press(ana, ana.button('Sign out everywhere'));
  await ana.sees('Sign in');
  await press(ana, ana.button('Use single sign-on'));
  await ana.alert().waitFor();
  await press(ana, ana.link('Back to the sign-in'));
  await ana.sees('Sign in');
  await ana.leave();
});
