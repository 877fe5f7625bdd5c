import { useEffect, useState } from 'preact/hooks';
import type { Handover } from './handover';
import { PersonSession } from './person-session';
import { ClientSession, SignInFailed, type Session } from './session';
import { TenantDirectory, type Home } from './tenants';
import { useTheme } from './theme';
import { SignIn } from './ui/sign-in';
import { SigningIn } from './ui/signing-in';
import { ThemeSwitch } from './ui/theme-switch';
import { Workbench } from './ui/workbench';

interface SignedIn {
  session: Session;
  directory: TenantDirectory;
  /** Absent where the holder of the session has no role in the tenant it belongs to. */
  home: Home | null;
}

export function App({ handover }: { handover: Handover }) {
  const { choice, choose } = useTheme();
  const [signedIn, setSignedIn] = useState<SignedIn | null>(null);
  const [notice, setNotice] = useState(handover.notice);
  const [opening, setOpening] = useState(true);
  const themeSwitch = <ThemeSwitch choice={choice} choose={choose} />;

  async function enter(session: Session) {
    const directory = new TenantDirectory(session);
    const home = await directory.home().catch((error: Error) => {
      if (error instanceof SignInFailed) {
        throw error;
      }
      return null;
    });
    setSignedIn({ session, directory, home });
  }

  function leave(why = '') {
    setNotice(why);
    setSignedIn(null);
  }

  async function signOut({ session }: SignedIn) {
    const ended = await session.end().then(
      () => true,
      () => false,
    );
    leave(ended ? '' : 'The gateway cannot be reached; you may still be signed in there.');
  }

  useEffect(() => {
    const found = handover.credentials ? ClientSession.open(handover.credentials) : PersonSession.find();
    found
      .then((session) => session && enter(session))
      .catch((error: Error) => setNotice(error.message))
      .finally(() => setOpening(false));
  }, []);

  if (opening) {
    return <SigningIn themeSwitch={themeSwitch} />;
  }
  return signedIn ? (
    <Workbench {...signedIn} themeSwitch={themeSwitch} leave={leave} signOut={() => void signOut(signedIn)} />
  ) : (
    <SignIn notice={notice} themeSwitch={themeSwitch} enter={enter} />
  );
}
