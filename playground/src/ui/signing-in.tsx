import type { ComponentChildren } from 'preact';
import { Brand } from './brand';

/** Shown while the page signs in by itself. */
export function SigningIn({ themeSwitch }: { themeSwitch: ComponentChildren }) {
  return (
    <div className="sign-in-page">
      <header className="top-bar">
        <Brand />
        <span className="space" />
        {themeSwitch}
      </header>
      <main>
        <h1>Signing in…</h1>
      </main>
    </div>
  );
}
