import { useState } from 'preact/hooks';
import type { Session } from './session';
import { TenantDirectory, type Home } from './tenants';
import { useTheme } from './theme';
import { SignIn } from './ui/sign-in';
import { ThemeSwitch } from './ui/theme-switch';
import { Workbench } from './ui/workbench';

interface SignedIn {
  session: Session;
  directory: TenantDirectory;
  /** Absent for a client that holds no role in its own tenant. */
  home: Home | null;
}

export function App() {
  const { choice, choose } = useTheme();
  const [signedIn, setSignedIn] = useState<SignedIn | null>(null);
  const [notice, setNotice] = useState('');
  const themeSwitch = <ThemeSwitch choice={choice} choose={choose} />;

  async function enter(session: Session) {
    const directory = new TenantDirectory(session);
    const home = await directory.home().catch(() => null);
    setSignedIn({ session, directory, home });
  }

  function leave(why = '') {
    setNotice(why);
    setSignedIn(null);
  }

  return signedIn ? (
    <Workbench {...signedIn} themeSwitch={themeSwitch} leave={leave} />
  ) : (
    <SignIn notice={notice} themeSwitch={themeSwitch} enter={enter} />
  );
}
