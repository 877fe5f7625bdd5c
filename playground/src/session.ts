const TOKEN_ENDPOINT = '/oauth2/token';
/** A token that ends sooner is renewed before it is used. */
const MARGIN_MS = 30_000;

export interface Credentials {
  clientId: string;
  clientSecret: string;
}

/** The gateway does not let this client in (any more). The message is for the person at the page. */
export class SignInFailed extends Error {}

/** There is no token for now, and nothing was sent. Trying again may help. */
export class TokenUnavailable extends Error {}

interface Token {
  text: string;
  renewAt: number;
}

/** Who sends the page's operations. */
export interface Session {
  readonly holder: 'client' | 'person';
  /** Whether requests carry the cookies of this origin. */
  readonly cookies: RequestCredentials;
  /** The headers that say who asks, good for a while yet. */
  authorization(): Promise<Record<string, string>>;
  /**
   * The same after a 401; rejects with `SignInFailed` where the gateway does not let the holder in any more, and with
   * `TokenUnavailable` where it does not say.
   */
  renew(): Promise<Record<string, string>>;
  /** Signs out. */
  end(): Promise<void>;
}

/** The only place that holds the secret and the token: this object's memory, gone with the page. */
export class ClientSession implements Session {
  readonly holder = 'client';
  readonly cookies = 'omit';
  readonly #credentials: Credentials;
  #token: Token;
  #renewal: Promise<Token> | undefined;

  private constructor(credentials: Credentials, token: Token) {
    this.#credentials = credentials;
    this.#token = token;
  }

  static async open(credentials: Credentials): Promise<ClientSession> {
    return new ClientSession(credentials, await requestToken(credentials));
  }

  async authorization() {
    return Date.now() < this.#token.renewAt ? bearer(this.#token) : this.renew();
  }

  /** Several who ask at once share the new token. */
  async renew() {
    this.#renewal ??= requestToken(this.#credentials)
      .then((token) => (this.#token = token))
      .finally(() => (this.#renewal = undefined));
    return bearer(await this.#renewal);
  }

  async end() {}
}

function bearer({ text }: Token) {
  return { Authorization: `Bearer ${text}` };
}

async function requestToken({ clientId, clientSecret }: Credentials): Promise<Token> {
  const asked = Date.now();
  let response: Response;
  try {
    response = await fetch(TOKEN_ENDPOINT, {
      method: 'POST',
      // In the body, and without the browser's own credentials: a Basic challenge would open the browser's own dialog.
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      }),
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch {
    throw new TokenUnavailable('The gateway cannot be reached.');
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok || !isTokenAnswer(answer)) {
    throw explain(response, answer);
  }
  const life = (answer.expires_in ?? 300) * 1000;
  return { text: answer.access_token, renewAt: asked + Math.max(life - MARGIN_MS, life / 2) };
}

function isTokenAnswer(answer: unknown): answer is { access_token: string; expires_in?: number } {
  return typeof answer === 'object' && answer !== null && 'access_token' in answer;
}

function explain(response: Response, answer: unknown): Error {
  const code = typeof answer === 'object' && answer !== null && 'error' in answer ? String(answer.error) : '';
  if (code === 'invalid_client') {
    return new SignInFailed('The gateway does not accept this client id with this secret.');
  }
  if (response.status === 429) {
    const seconds = response.headers.get('Retry-After');
    return new TokenUnavailable(`Too many attempts. Try again ${seconds ? `in ${seconds} s` : 'later'}.`);
  }
  return new TokenUnavailable(`The gateway gave no token (status ${response.status}${code && `, ${code}`}).`);
}
