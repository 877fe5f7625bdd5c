// A real Chromium that can reach only this machine.
import { afterEach } from 'node:test';
import { chromium } from 'playwright-core';

/** The browsers of this process. */
const browsers = [];

export async function launch() {
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  const closed = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost';
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Chromium's own sandbox does not work for root.
    args: [...quiet, '--disable-component-update', '--disable-sync', closed, ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
  });
  browsers.push(browser);
  return browser;
}

// The time-out of a failed test tells only what did not come: its pages show what came instead. No page outlives its test.
afterEach(async ({ name, passed }) => {
  for (const context of passed ? [] : browsers.flatMap((browser) => browser.contexts())) {
    for (const page of context.pages()) {
      const text = await page.locator('body').innerText({ timeout: 5_000 }).catch(String);
      console.error(`The page of "${name}" is ${page.url()}:\n${text}`);
      const path = `${process.env.TENANT_GATEWAY_PICTURES}/failed: ${name.replaceAll('/', ' ')}.png`;
      await page.screenshot({ path }).catch(console.error);
    }
    await context.close();
  }
});
