import { GraphiQL } from 'graphiql';
import { useEffect, useMemo, useState, type ReactNode } from 'react';
import { examples } from '../examples';
import { connect } from '../fetcher';
import { memoryStorage } from '../memory-storage';
import type { Session } from '../session';
import type { Home, Tenant } from '../tenants';
import { Brand } from './brand';
import { TenantPicker } from './tenant-picker';

interface Props {
  session: Session;
  home: Home | null;
  theme: 'light' | 'dark';
  themeSwitch: ReactNode;
  leave: (why?: string) => void;
}

export function Workbench({ session, home, theme, themeSwitch, leave }: Props) {
  const [tenant, setTenant] = useState<Tenant | null>(home?.tenant ?? null);
  // One for the whole session, so that tabs and history survive a change of tenant.
  const storage = useMemo(() => memoryStorage(examples), [session]);

  return (
    <div className="workbench">
      <header className="top-bar">
        <Brand />
        <TenantPicker session={session} chosen={tenant} choose={setTenant} />
        <span className="space" />
        {home && <span className="subject">{home.displayName}</span>}
        {themeSwitch}
        <button type="button" onClick={() => leave()}>
          Sign out
        </button>
      </header>
      {tenant ? (
        // A new key makes everything anew: no answer of one tenant stays on the screen of another.
        <Editor key={tenant.id} {...{ session, tenant, storage, theme, leave }} />
      ) : (
        <main className="no-tenant">
          <p>This client holds no role in its own tenant. Choose a tenant above, or type the id of one.</p>
        </main>
      )}
    </div>
  );
}

interface EditorProps {
  session: Session;
  tenant: Tenant;
  storage: ReturnType<typeof memoryStorage>;
  theme: 'light' | 'dark';
  leave: (why: string) => void;
}

function Editor({ session, tenant, storage, theme, leave }: EditorProps) {
  const connection = useMemo(() => connect(session, tenant.id, leave), [session, tenant.id]);
  useEffect(() => () => connection.close(), [connection]);
  return (
    <main className="editor" aria-label={`GraphiQL in ${tenant.name}`}>
      <GraphiQL
        fetcher={connection.fetcher}
        onSchemaChange={connection.schemaChanged}
        storage={storage}
        defaultTabs={examples}
        shouldPersistHeaders={false}
        inputValueDeprecation
        defaultEditorToolsVisibility="variables"
        defaultTheme={theme}
        forcedTheme={theme}
      >
        <GraphiQL.Logo>
          <></>
        </GraphiQL.Logo>
      </GraphiQL>
    </main>
  );
}
