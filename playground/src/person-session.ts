import { SignInFailed, TokenUnavailable, type Session } from './session';

const SESSION_ENDPOINT = '/session';
const SIGN_OUT_PATH = '/logout';

interface SignedIn {
  signedIn: true;
  /** Proves to the gateway that a page of its own sent a request, since browsers send cookies by themselves. */
  csrfToken: string;
}

/** A browser that has opened no page for people yet has no token. */
type Visitor = SignedIn | { signedIn: false; csrfToken: string | null };

/** A person whose sign-in is a cookie that no script can read. */
export class PersonSession implements Session {
  readonly holder = 'person';
  readonly cookies = 'same-origin';
  #visitor: SignedIn;

  private constructor(visitor: SignedIn) {
    this.#visitor = visitor;
  }

  /** The session of this browser; null where nobody is signed in. */
  static async find(): Promise<PersonSession | null> {
    const visitor = await askWho().catch(() => null);
    return visitor?.signedIn ? new PersonSession(visitor) : null;
  }

  async authorization() {
    return { 'X-CSRF-Token': this.#visitor.csrfToken };
  }

  /** Another tab may have signed in again, which changes cookie and token. */
  async renew() {
    const visitor = await askWho();
    if (!visitor.signedIn) {
      throw new SignInFailed('Your session has ended. Sign in again.');
    }
    this.#visitor = visitor;
    return this.authorization();
  }

  async end() {
    const { csrfToken } = await askWho();
    if (csrfToken === null) {
      return;
    }
    await fetch(SIGN_OUT_PATH, {
      method: 'POST',
      body: new URLSearchParams({ csrf: csrfToken }),
      credentials: this.cookies,
      // It leads to a page for people, which is not shown here.
      redirect: 'manual',
    });
  }
}

async function askWho(): Promise<Visitor> {
  let response: Response;
  try {
    response = await fetch(SESSION_ENDPOINT, { credentials: 'same-origin', cache: 'no-store' });
  } catch {
    throw new TokenUnavailable('The gateway cannot be reached. Is it running?');
  }
  const visitor = response.ok ? await response.json().catch(() => null) : null;
  if (!visitor) {
    throw new TokenUnavailable(`The gateway did not say who is signed in (status ${response.status}).`);
  }
  return visitor as Visitor;
}
