import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { startDemo, startServe } from './gateway.mjs';

let gateway;

before(async () => {
  gateway = await startDemo();
});

after(() => gateway?.end());

const get = (path, headers = {}) => fetch(`${gateway.url}${path}`, { redirect: 'manual', headers });

test('the root leads to the playground', async () => {
  const response = await get('/');
  assert.equal(response.status, 307);
  assert.equal(response.headers.get('location'), '/playground');
});

test('the page has security headers', async () => {
  const { headers } = await get('/playground');
  assert.equal(
    headers.get('content-security-policy'),
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('referrer-policy'), 'no-referrer');
  assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
});

test('the page is revalidated each time, with 304 if unchanged', async () => {
  const { headers } = await get('/playground');
  assert.equal(headers.get('cache-control'), 'no-cache');
  const again = await get('/playground', { 'If-None-Match': headers.get('etag') });
  assert.equal(again.status, 304);
});

test('files named by their content are cached for ever', async () => {
  const page = await (await get('/playground')).text();
  const paths = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
  assert.ok(paths.length >= 3);
  for (const path of paths) {
    assert.match(path, /^\/playground\/assets\//, 'nothing from elsewhere');
    const response = await get(path);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.match(response.headers.get('content-type'), /^(text\/(javascript|css); charset=utf-8|image\/svg\+xml)$/);
    assert.ok((await response.text()).length > 100);
  }
});

test('the whole page is at most 250 kB on the wire', async () => {
  const page = await (await get('/playground')).text();
  const paths = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
  const sizes = await Promise.all(paths.map(wireSize));
  const total = Buffer.byteLength(page) + sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(sizes.every((size) => size > 100) && total <= 250_000, `${total} bytes: ${sizes}`);
});

/** The bytes of a body as they are sent; fetch would decompress them. */
async function wireSize(path) {
  const [response] = await once(request(`${gateway.url}${path}`, { headers: { 'Accept-Encoding': 'gzip' } }).end(), 'response');
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
  }
  return size;
}

test('no other file is served', async () => {
  for (const path of ['/playground/assets/none.js', '/playground/assets/..%2f..%2fCargo.toml', '/playground/index.html']) {
    assert.equal((await get(path)).status, 404, path);
  }
});

test('serve has no playground unless it is enabled', async () => {
  const served = await startServe();
  try {
    for (const path of ['/', '/playground', '/playground/assets/index.js']) {
      assert.equal((await fetch(`${served.url}${path}`, { redirect: 'manual' })).status, 404, path);
    }
  } finally {
    await served.end();
  }
});
