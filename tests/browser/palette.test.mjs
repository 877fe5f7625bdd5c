// One palette: every colour on the screen is one of playground/src/tokens.css, which docs/design.md describes.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { demo, openPlayground, SIGN_OUT } from './browser.mjs';
import { inviteInto, signInAs } from './person.mjs';

const root = process.env.TENANT_GATEWAY_ROOT;
const ADMINISTRATOR = 'ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068';
const tokens = [...readFileSync(`${root}/playground/src/tokens.css`, 'utf8').matchAll(/(--[\w-]+): light-dark\(/g)].map(([, name]) => name);
let browser;
let gateway;

demo((made) => {
  ({ browser, gateway } = made);
});

function filesBelow(folder, ending) {
  const files = readdirSync(`${root}/${folder}`, { recursive: true }).map((file) => `${folder}/${file}`);
  return files.filter((file) => ending.test(file) && !file.endsWith('tokens.css'));
}

test('only tokens.css contains literal colours', () => {
  const files = [...filesBelow('playground/src', /\.(css|tsx?)$/), ...filesBelow('src/http/pages', /\.(css|html)$/), 'playground/index.html'];
  assert.ok(files.length > 30, String(files.length));
  const literal = /#(?:[\da-f]{3,4}|[\da-f]{6}|[\da-f]{8})\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix)\(/gi;
  const named = /: [^;{}\n]*\b(?:white|black|red|green|blue|gr[ae]y|silver|orange|yellow|purple|teal|navy)\b[^;{}\n]*;/g;
  for (const file of files) {
    const text = readFileSync(`${root}/${file}`, 'utf8').replaceAll(/&#\w+;/g, '');
    const found = [...(text.match(literal) ?? []), ...(file.endsWith('.css') ? (text.match(named) ?? []) : [])];
    assert.deepEqual(found, [], file);
  }
});

test('docs/design.md names every colour', () => {
  const design = readFileSync(`${root}/docs/design.md`, 'utf8');
  assert.ok(tokens.length >= 25, String(tokens.length));
  for (const token of tokens) {
    const group = token.replace(/^--syntax-.*/, '--syntax-…').replace(/^(--(?:problem|passed|changes))-ground$/, '$1');
    assert.ok(design.includes(`\`${group}\``), token);
  }
});

/** Each colour on the screen that is not one of the tokens, with the first element that has it. */
async function foreignColours(page) {
  return page.evaluate((names) => {
    const probe = document.body.appendChild(document.createElement('i'));
    const resolve = (value) => ((probe.style.color = value), getComputedStyle(probe).color);
    const known = new Set(names.filter((name) => name !== '--qr-ground').map((name) => resolve(`var(${name})`)));
    known.add(resolve('transparent'));
    // White in the dark too, and for QR codes alone.
    const ofQrCodes = resolve('var(--qr-ground)');
    probe.remove();
    const foreign = new Map();
    const colour = /rgba?\([^)]*\)|color\([^)]*\)/g;

    const visible = (element) => element.getClientRects().length > 0;
    const text = (style) => style.content !== 'none' && style.content !== 'normal';
    const note = (element, pseudo, property, value) => {
      for (const found of value.match(colour) ?? []) {
        if (!known.has(found) && !(found === ofQrCodes && element.matches('.qr'))) {
          foreign.set(`${found} as ${property}`, `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''}${pseudo}`);
        }
      }
    };
    const check = (element, pseudo) => {
      const style = getComputedStyle(element, pseudo || null);
      if ((pseudo === '::before' || pseudo === '::after') && !text(style)) {
        return;
      }
      note(element, pseudo, 'color', style.color);
      if (pseudo === '::placeholder') {
        return;
      }
      note(element, pseudo, 'background-color', style.backgroundColor);
      note(element, pseudo, 'background-image', style.backgroundImage);
      note(element, pseudo, 'box-shadow', style.boxShadow);
      for (const side of ['Top', 'Right', 'Bottom', 'Left']) {
        if (parseFloat(style[`border${side}Width`]) > 0) {
          note(element, pseudo, `border-${side}`, style[`border${side}Color`]);
        }
      }
      if (style.outlineStyle !== 'none') {
        note(element, pseudo, 'outline', style.outlineColor);
      }
      if (style.textDecorationLine !== 'none') {
        note(element, pseudo, 'text-decoration', style.textDecorationColor);
      }
      if (element instanceof SVGElement) {
        note(element, pseudo, 'fill', style.fill);
        note(element, pseudo, 'stroke', style.stroke);
      }
      if (element.matches('input:not([type=checkbox], [type=radio]), textarea, [contenteditable]') && !pseudo) {
        note(element, pseudo, 'caret-color', style.caretColor);
      }
      if (element.matches('input[type=checkbox], input[type=radio]') && !style.accentColor.startsWith('rgb')) {
        foreign.set('accent-color of the browser', element.outerHTML);
      } else {
        note(element, pseudo, 'accent-color', style.accentColor);
      }
    };
    const walk = (parent) => {
      for (const element of parent.querySelectorAll('*')) {
        if (visible(element)) {
          const isField = element.matches('[placeholder]');
          for (const pseudo of isField ? ['', '::placeholder'] : ['', '::before', '::after']) {
            check(element, pseudo);
          }
        }
        if (element.shadowRoot) {
          walk(element.shadowRoot);
        }
      }
    };
    check(document.body, '');
    walk(document.body);
    return [...foreign];
  }, tokens);
}

async function check(page, state) {
  assert.deepEqual(await foreignColours(page), [], state);
}

async function checkWorkbench(playground) {
  const { page } = playground;
  await check(page, 'signed in');
  await playground.picker().click();
  await page.getByText('4 tenants', { exact: true }).waitFor();
  await check(page, 'tenant list');
  await page.keyboard.press('Escape');
  await playground.openExample('EveryCustomer');
  await playground.run();
  await check(page, 'answer with an error');
  await page.getByRole('button', { name: 'Tenants', exact: true }).click();
  await page.getByRole('button', { name: 'Prettify' }).hover();
  await check(page, 'table of tenants');
  await playground.openExample('DeleteClient');
  await playground.clickRun();
  await check(page, 'values to fill in');
}

async function checkEditor(playground) {
  const { page } = playground;
  await playground.typeQuery('{ ');
  await page.keyboard.type('curr');
  await page.getByRole('option', { name: /^currentSubject/ }).waitFor();
  await check(page, 'completion');
  await page.keyboard.press('Escape');
  await playground.typeQuery('query Wrong { nothing(a: [1, "two", true, $v]) ) } # comment');
  const wrong = page.locator('.cm-lintRange-error').first();
  await wrong.waitFor();
  await check(page, 'a mistake');
  await wrong.hover();
  await page.locator('.cm-tooltip-lint').waitFor();
  await check(page, 'a mistake that is explained');
  await playground.editor('Query').click();
  await page.keyboard.press('ControlOrMeta+F');
  const find = page.getByRole('textbox', { name: 'Find' });
  await find.pressSequentially('n');
  await page.locator('.cm-searchMatch').first().waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.cm-searchMatch-selected').waitFor();
  await check(page, 'search in the editor');
  await page.keyboard.press('Escape');
}

async function checkPanels(playground) {
  const { page } = playground;
  await playground.openPanel('Schema');
  await page.getByRole('button', { name: 'Details of tenant', exact: true }).click();
  await page.getByRole('list', { name: 'Arguments of tenant', exact: true }).waitFor();
  await page.getByRole('checkbox', { name: 'tenant Tenant', exact: true }).check();
  await check(page, 'schema');
  await playground.openPanel('Examples');
  await playground.openExample('CreateTenant');
  await page.route('**/graphql', (route) => (route.request().postData().includes('createTenant') ? undefined : route.continue()));
  await playground.clickRun();
  await playground.chooseTenant(gateway.customers[0].name);
  await page.getByRole('list', { name: 'Sent elsewhere' }).waitFor();
  await check(page, 'a mutation that runs elsewhere');
  await playground.openPanel('History');
  await check(page, 'history');
}

test('a foreign colour is found, in an editor too', async () => {
  const playground = await openPlayground(browser, gateway);
  const { page } = playground;
  await playground.signedIn();
  await check(page, 'before');
  await page.evaluate(() => (document.querySelector('h1').style.borderTop = '1px solid rgb(1, 2, 3)'));
  await page.locator('.cm-gutters').first().evaluate((gutters) => (gutters.style.backgroundColor = 'rgb(4, 5, 6)'));
  const found = (await foreignColours(page)).map(([colour]) => colour).sort();
  assert.deepEqual(found, ['rgb(1, 2, 3) as border-Top', 'rgb(4, 5, 6) as background-color']);
  await playground.close();
});

for (const colorScheme of ['light', 'dark']) {
  // Computed colours of a transition would be mixtures.
  const options = { colorScheme, reducedMotion: 'reduce' };
  test(`the playground has the colours of the palette alone in ${colorScheme}`, async () => {
    const playground = await openPlayground(browser, gateway, options);
    const { page } = playground;
    await page.getByLabel('Client id').waitFor();
    await check(page, 'sign-in');
    await playground.signIn({ clientID: gateway.clientID, clientSecret: 'tgw_wrong' });
    await page.getByRole('alert').filter({ hasText: /./ }).waitFor();
    await check(page, 'sign-in refused');
    await playground.signedIn();
    await checkWorkbench(playground);
    await checkEditor(playground);
    await checkPanels(playground);
    const refused = 'Failed to load resource: the server responded with a status of 401 (Unauthorized)';
    await playground.close({ complaints: [refused] });
  });

  test(`the pages for people have the colours of the palette alone in ${colorScheme}`, async () => {
    const playground = await openPlayground(browser, gateway, options);
    const { page } = playground;
    const person = await inviteInto(page, gateway, ADMINISTRATOR, (state) => check(page, state));
    for (const path of ['/account', '/device', '/logout', '/no-such-page']) {
      await page.goto(`${gateway.url}${path}`);
      await check(page, path);
    }
    await page.goto(`${gateway.url}/playground`);
    await page.getByRole(SIGN_OUT.role, SIGN_OUT).click();
    await page.getByRole('link', { name: 'Sign in as a person' }).click();
    await page.locator('input[name=email]').waitFor();
    await check(page, 'login');
    await page.locator('input[name=email]').fill(person.email);
    await page.locator('input[name=password]').fill('wrong and long enough');
    await page.locator('main form button[type=submit]').first().click();
    await page.getByRole('alert').waitFor();
    await check(page, 'login refused');
    await signInAs(page, person);
    await playground.ready();
    await playground.close({ complaints: playground.complaints });
  });
}
