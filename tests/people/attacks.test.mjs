// Attacks: forged forms, framing, guesses, and stolen cookies.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { startGateway } from './gateway.mjs';
import { launch } from './chromium.mjs';
import { newMember, newPerson } from './people.mjs';
import { PollingProgram } from './program.mjs';
import { Visitor } from './visitor.mjs';

let browser;
let gateway;
let evil;

before(async () => {
  [browser, gateway, evil] = await Promise.all([launch(), startGateway(), startEvil()]);
});

after(async () => {
  await browser?.close();
  await gateway?.end();
  evil?.close();
});

/** A server of malicious pages; the query selects the page. */
async function startEvil() {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://evil');
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(searchParams.has('frame') ? framing(searchParams.get('frame')) : forging(searchParams));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function framing(url) {
  return `<!doctype html><title>evil</title><iframe src="${url}" width="800" height="600"></iframe>`;
}

function forging(searchParams) {
  const fields = [...searchParams].filter(([name]) => name !== 'post');
  const inputs = fields.map(([name, value]) => `<input name="${name}" value="${value}">`).join('');
  return `<!doctype html><title>evil</title><form method="post" action="${searchParams.get('post')}">${inputs}<button>Win</button></form>`;
}

const evilURL = (host, query) => `http://${host}:${evil.address().port}/?${new URLSearchParams(query)}`;

test('a form of another page does nothing, of another site and of another port of the same host', async () => {
  const ana = await newMember(browser, gateway);
  const invited = await gateway.invite('invited@north.example');
  const program = await new PollingProgram(gateway).ask();
  const forms = [
    ['/login', { email: ana.email, password: ana.password }],
    ['/login/code', { code: '123456' }],
    ['/login/sso', { email: ana.email }],
    ['/logout', {}],
    [new URL(invited.inviteURL).pathname, { password: ana.password }],
    ['/account/sessions', { action: 'end_all' }],
    ['/account/totp', { code: '123456' }],
    ['/account/passkeys', { action: 'remove', id: '018f0000-0000-7000-8000-000000000000' }],
    ['/device', { user_code: program.user_code, action: 'approve' }],
  ];
  for (const host of ['127.0.0.1', 'localhost']) {
    for (const [path, fields] of forms) {
      await ana.go(evilURL(host, { post: `${gateway.url}${path}`, csrf: 'x'.repeat(43), ...fields }));
      const answered = ana.page.waitForResponse((response) => response.url() === `${gateway.url}${path}`);
      await ana.press('Win');
      assert.equal((await answered).status(), 403, `${host}: ${path}`);
      await ana.sees('This form cannot be used');
    }
  }
  await ana.go('/account');
  await ana.sees('Your account');
  assert.equal((await program.poll()).error, 'authorization_pending');
  await ana.go(invited.inviteURL);
  await ana.sees('Set your password');
  await ana.leave();
});

test('no page can be framed', async () => {
  const ana = await newMember(browser, gateway);
  for (const path of ['/login', '/device', '/account', '/account/totp', '/account/passkeys', '/logout', '/invite/unknown']) {
    const response = await ana.page.request.get(`${gateway.url}${path}`);
    assert.match(response.headers()['content-security-policy'], /frame-ancestors 'none'/, path);
    assert.equal(response.headers()['x-frame-options'], 'DENY', path);
    await ana.go(evilURL('localhost', { frame: `${gateway.url}${path}` }));
    const frame = ana.page.frames().at(-1);
    assert.match(frame.url(), /^chrome-error:/, path);
  }
  // The browser logs why it shows nothing.
  ana.complaints = ana.complaints.filter((text) => !/frame-ancestors|Refused to display|X-Frame-Options/.test(text));
  await ana.leave();
});

test('cookies are for this host over a safe connection and not for scripts', async () => {
  const ana = await newMember(browser, gateway);
  const cookies = await ana.cookies();
  assert.deepEqual(cookies.map(({ name }) => name).sort(), ['__Host-csrf', '__Host-session']);
  for (const { name, domain, path, secure, httpOnly, sameSite, expires } of cookies) {
    assert.deepEqual({ domain, path, secure, httpOnly, sameSite, expires }, { domain: 'localhost', path: '/', secure: true, httpOnly: true, sameSite: 'Lax', expires: -1 }, name);
  }
  assert.equal(await ana.page.evaluate(() => document.cookie), '');
  await ana.leave();
});

test('a session gets another id at each step of the sign-in, and the old one opens nothing', async () => {
  const ana = await newMember(browser, gateway);
  const enrolled = await ana.cookie('__Host-session');
  await ana.signOut();
  await ana.enterPassword();
  await ana.sees('Enter your code');
  const half = await ana.cookie('__Host-session');
  await ana.enterCode();
  await ana.sees('Your account');
  const whole = await ana.cookie('__Host-session');
  assert.equal(new Set([enrolled, half, whole]).size, 3);
  for (const [session, opens] of [[enrolled, false], [half, false], [whole, true]]) {
    const visitor = new Visitor(gateway, { '__Host-session': session });
    const answer = await visitor.get('/account');
    assert.equal(answer.status, opens ? 200 : 303);
  }
  await ana.leave();
});

test('half a sign-in opens no page', async () => {
  const ana = await newMember(browser, gateway);
  const program = await new PollingProgram(gateway).ask();
  await ana.signOut();
  await ana.enterPassword();
  await ana.sees('Enter your code');
  for (const path of ['/account', '/account/totp', '/account/passkeys', '/device', new URL(program.verification_uri_complete).href]) {
    await ana.go(path);
    await ana.sees('Enter your code');
  }
  await ana.leave();
});

test('a code of the app is taken once', async () => {
  const ana = await newMember(browser, gateway);
  await ana.signOut();
  await ana.enterPassword();
  const code = ana.code();
  await ana.enterCode(code);
  await ana.sees('Your account');
  await ana.signOut();
  await ana.enterPassword();
  await ana.enterCode(code);
  await ana.alert().waitFor();
  await ana.leave();
});

test('a sign-in leads to pages of the gateway alone', async () => {
  const ana = await newMember(browser, gateway);
  const away = [
    'https://evil.example/',
    '//evil.example/account',
    '/\\evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
    'http://localhost.evil.example/',
    `http://127.0.0.1:${evil.address().port}/`,
    '/account/../logout',
  ];
  for (const to of away) {
    await ana.go(`/login?${new URLSearchParams({ return_to: to })}`);
    assert.equal(ana.page.url(), `${gateway.url}/account`, to);
  }
  await ana.signOut();
  await ana.go(`/login?${new URLSearchParams({ return_to: away[1] })}`);
  // A changed hidden field must not redirect elsewhere either.
  await ana.page.locator('input[name="return_to"]').evaluate((field, to) => (field.value = to), away[1]);
  await ana.signIn();
  await ana.sees('Your account');
  assert.equal(ana.page.url(), `${gateway.url}/account`);
  await ana.leave();
});

test('refusals of a sign-in are alike in text, status and time', async () => {
  const known = await newMember(browser, gateway);
  const disabled = await newMember(browser, gateway);
  const slowed = await newMember(browser, gateway);
  await gateway.run('user', 'disable', disabled.id, '--output', 'json');
  const attempts = {
    'wrong password': [known.email, 'not the password of anybody'],
    'unknown user': ['nobody@north.example', known.password],
    'disabled user': [disabled.email, disabled.password],
    // Wrong ones again, each at once after a failure: a right one is accepted as soon as the wait is over.
    'slowed user': [slowed.email, 'not the password of anybody'],
  };
  for (let failures = 0; failures < 6; failures += 1) {
    await new Visitor(gateway).signIn(slowed.email, 'not the password of anybody');
  }
  const answers = {};
  const times = {};
  for (const [kind, [email, password]] of Object.entries(attempts)) {
    times[kind] = [];
    for (let round = 0; round < 3; round += 1) {
      const visitor = new Visitor(gateway);
      await visitor.get('/login');
      const begun = performance.now();
      const answer = await visitor.signIn(email, password);
      times[kind].push(performance.now() - begun);
      answers[kind] = { status: answer.status, text: visitor.neutral(answer.text).replaceAll(email, 'EMAIL'), cookies: visitor.names() };
    }
  }
  const [first, ...others] = Object.keys(attempts);
  assert.equal(answers[first].status, 422);
  for (const kind of others) {
    assert.deepEqual(answers[kind], answers[first], kind);
  }
  // The shortest of several: other work on the machine only adds time.
  const shortest = Object.entries(times).map(([kind, all]) => [kind, Math.min(...all)]);
  const figures = shortest.map(([, time]) => time);
  const told = shortest.map(([kind, time]) => `${kind} ${time.toFixed(0)} ms`).join(', ');
  console.log(told);
  assert.ok(Math.max(...figures) < 2 * Math.min(...figures), told);
  await Promise.all([known, disabled, slowed].map((person) => person.leave()));
});

test('a stranger learns nothing from links', async () => {
  const person = await newPerson(browser, gateway);
  const { inviteURL } = await gateway.invite(person.email);
  const used = await newMember(browser, gateway);
  const texts = [];
  for (const path of [`${new URL(inviteURL).pathname}x`, '/invite/unknown', `/invite/${'A'.repeat(43)}`]) {
    const visitor = new Visitor(gateway);
    const { status, text } = await visitor.get(path);
    texts.push(`${status} ${visitor.neutral(text)}`);
  }
  assert.equal(new Set(texts).size, 1, texts.join('\n'));
  await Promise.all([person.leave(), used.leave()]);
});
