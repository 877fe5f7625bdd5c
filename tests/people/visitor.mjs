// Requests like those of a browser, for what a browser hides: statuses, redirects and times.
import { noteSecret } from './processes.mjs';

export class Visitor {
  constructor(gateway, cookies = {}) {
    this.gateway = gateway;
    this.cookies = new Map(Object.entries(cookies));
  }

  names() {
    return [...this.cookies.keys()].sort();
  }

  get(path) {
    return this.#send(path, {});
  }

  post(path, fields) {
    const headers = { Origin: this.gateway.url };
    return this.#send(path, { method: 'POST', headers, body: new URLSearchParams({ ...fields, csrf: this.csrf }) });
  }

  async signIn(email, password) {
    if (!this.csrf) {
      await this.get('/login');
    }
    return this.post('/login', { email, password });
  }

  /** A page without its CSRF token, which differs at each visit. */
  neutral(text) {
    return text.replaceAll(this.csrf, 'CSRF');
  }

  async #send(path, { headers = {}, ...options }) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(`${this.gateway.url}${path}`, { redirect: 'manual', headers: { ...headers, Cookie: cookie }, ...options });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) {
        noteSecret(value);
      }
      this.cookies.set(name, value);
    }
    const text = await response.text();
    this.csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? this.csrf;
    return { status: response.status, location: response.headers.get('location'), headers: response.headers, text };
  }
}
