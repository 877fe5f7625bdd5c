import { useEffect, useState } from 'preact/hooks';
import type { Handover } from './handover';
import { Session } from './session';
import { TenantDirectory, type Home } from './tenants';
import { useTheme } from './theme';
import { SignIn } from './ui/sign-in';
import { SigningIn } from './ui/signing-in';
import { ThemeSwitch } from './ui/theme-switch';
import { Workbench } from './ui/workbench';

interface SignedIn {
  session: Session;
  directory: TenantDirectory;
  /** Absent for a client that holds no role in its own tenant. */
  home: Home | null;
}

export function App({ handover }: { handover: Handover }) {
  const { choice, choose } = useTheme();
  const [signedIn, setSignedIn] = useState<SignedIn | null>(null);
  const [notice, setNotice] = useState(handover.notice);
  const [opening, setOpening] = useState(handover.credentials !== null);
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

  useEffect(() => {
    if (handover.credentials) {
      Session.open(handover.credentials)
        .then(enter)
        .catch((error: Error) => setNotice(error.message))
        .finally(() => setOpening(false));
    }
  }, []);

  if (opening) {
    return <SigningIn themeSwitch={themeSwitch} />;
  }
  return signedIn ? (
    <Workbench {...signedIn} themeSwitch={themeSwitch} leave={leave} />
  ) : (
    <SignIn notice={notice} themeSwitch={themeSwitch} enter={enter} />
  );
}
