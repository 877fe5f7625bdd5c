import type { Credentials } from './session';

const PAGE = '/playground';

/** What the gateway wrote into the head of this page, and nowhere else. */
export interface Handover {
  /** Of a client, for the browser that `demo --open` opened. */
  credentials: Credentials | null;
  /** Why there are no credentials; empty where none were asked for. */
  notice: string;
}

/** Takes the handover out of the document, so that it stays in the page's memory alone. */
export function takeHandover(): Handover {
  const clientId = take('client-id');
  const clientSecret = take('client-secret');
  const notice = take('notice') ?? '';
  if (location.pathname !== PAGE) {
    // Loading the present address again would post a code that is used up.
    history.replaceState(null, '', PAGE);
  }
  return { credentials: clientId && clientSecret ? { clientId, clientSecret } : null, notice };
}

function take(name: string): string | null {
  const element = document.head.querySelector<HTMLMetaElement>(`meta[name="${name}"]`);
  element?.remove();
  return element?.content ?? null;
}
