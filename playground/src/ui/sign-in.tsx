import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ClientSession, SignInFailed, TokenUnavailable, type Session } from '../session';
import { Brand } from './brand';

/** The sign-in for people, which leads back here. */
const PEOPLE_PATH = '/login?return_to=%2Fplayground';

interface Props {
  notice: string;
  themeSwitch: ComponentChildren;
  enter: (session: Session) => Promise<void>;
}

export function SignIn({ notice, themeSwitch, enter }: Props) {
  const [problem, setProblem] = useState(notice);
  const [busy, setBusy] = useState(false);
  const clientId = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => clientId.current?.focus(), []);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    // Read from the form when needed, so that the secret never is a part of the page's state.
    const typed = new FormData(form);
    const value = (name: string) => String(typed.get(name) ?? '').trim();
    setBusy(true);
    setProblem('');
    try {
      await enter(await ClientSession.open({ clientId: value('client-id'), clientSecret: value('client-secret') }));
    } catch (error) {
      setBusy(false);
      const isExplained = error instanceof SignInFailed || error instanceof TokenUnavailable;
      setProblem(isExplained ? error.message : 'Signing in failed.');
      form.querySelector<HTMLInputElement>('#client-secret')?.select();
    }
  }

  return (
    <div className="sign-in-page">
      <header className="top-bar">
        <Brand />
        <span className="space" />
        {themeSwitch}
      </header>
      <main>
        <form className="sign-in" onSubmit={submit} aria-labelledby="sign-in-title">
          <h1 id="sign-in-title">Sign in to the playground</h1>
          <a className="button" href={PEOPLE_PATH}>
            Sign in as a person
          </a>
          <p>Or with the credentials of a client. They stay in this page’s memory and are gone when it is closed.</p>
          <label htmlFor="client-id">Client id</label>
          <input id="client-id" name="client-id" required ref={clientId} autocomplete="off" spellcheck={false} />
          <label htmlFor="client-secret">Client secret</label>
          <input
            id="client-secret"
            name="client-secret"
            type="password"
            required
            autocomplete="off"
            spellcheck={false}
            aria-describedby="sign-in-problem"
          />
          <p id="sign-in-problem" className="problem" role="alert">
            {problem}
          </p>
          <button type="submit" className="primary" disabled={busy}>
            {busy ? 'Signing in…' : 'Sign in'}
          </button>
        </form>
      </main>
    </div>
  );
}
