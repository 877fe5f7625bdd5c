// `demo --open`: the browser that the demo opens is signed in, and no secret is in an address.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { openPlayground } from './browser.mjs';
import { launch } from './chromium.mjs';
import { noteSecret, startDemo } from './gateway.mjs';

const pictures = process.env.TENANT_GATEWAY_PICTURES;
let browser;
let folder;

before(async () => {
  folder = mkdtempSync(`${tmpdir()}/tenant-gateway-open-`);
  // A stand-in for the desktop program that opens files: it records its argument.
  writeFileSync(`${folder}/xdg-open`, `#!/bin/sh\nprintf %s "$*" > ${folder}/new && mv ${folder}/new ${folder}/opened\n`);
  chmodSync(`${folder}/xdg-open`, 0o755);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** A demo and the file that it opened. */
async function openedDemo() {
  rmSync(`${folder}/opened`, { force: true });
  const gateway = await startDemo({ PATH: `${folder}:${process.env.PATH}` }, ['--open']);
  for (const deadline = Date.now() + 20_000; !existsSync(`${folder}/opened`); await setTimeout(20)) {
    assert.ok(Date.now() < deadline, 'a file was opened');
  }
  return { gateway, file: readFileSync(`${folder}/opened`, 'utf8') };
}

/** A fresh profile with that file. */
async function openFile(gateway, file) {
  const playground = await openPlayground(browser, gateway);
  await playground.page.goto(`file://${file}`);
  playground.outside.length = 0;
  return playground;
}

test('the opened browser is signed in, once, and nothing of it is kept', async () => {
  const { gateway, file } = await openedDemo();
  try {
    const [code] = readFileSync(file, 'utf8').match(/tgw_\w+/);
    noteSecret(code);
    const playground = await openFile(gateway, file);
    await playground.ready();
    const { page } = playground;
    assert.equal(await page.locator('.subject').textContent(), 'administrator');
    assert.equal(page.url(), `${gateway.url}/playground`);
    assert.ok((await playground.run()).data.clientsSearch.results.length > 0);
    await page.screenshot({ path: `${pictures}/opened.png` });
    const everywhere = (await playground.kept()) + (await page.content());
    for (const secret of [code, gateway.clientSecret]) {
      assert.ok(!everywhere.includes(secret));
    }
    await page.reload();
    await page.getByLabel('Client secret').waitFor();
    await playground.close();

    const second = await openFile(gateway, file);
    const alert = second.page.getByRole('alert').filter({ hasText: /./ });
    assert.match(await alert.textContent(), /used before or has expired/);
    const { violations } = await new AxeBuilder({ page: second.page }).analyze();
    assert.deepEqual(violations.map(({ id }) => id), []);
    const refused = 'Failed to load resource: the server responded with a status of 403 (Forbidden)';
    await second.close({ complaints: [refused] });
  } finally {
    await gateway.end();
  }
});

test('the page that signs in by itself says so, and has no finding of axe', async () => {
  const { gateway, file } = await openedDemo();
  try {
    const playground = await openPlayground(browser, gateway);
    const { page } = playground;
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route('**/oauth2/token', async (route) => {
      await released;
      await route.continue();
    });
    await page.goto(`file://${file}`);
    await page.getByRole('heading', { name: 'Signing in…' }).waitFor();
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(violations.map(({ id }) => id), []);
    release();
    await playground.ready();
    playground.outside.length = 0;
    await playground.close();
  } finally {
    await gateway.end();
  }
});
