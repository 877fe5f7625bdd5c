import { GraphiQL } from 'graphiql';
import { useEffect, useMemo, useState, type ReactNode } from 'react';
import { examples } from '../examples';
import { connect } from '../fetcher';
import { memoryStorage } from '../memory-storage';
import type { Session } from '../session';
import { pathText, shortId, type Home, type Tenant, type TenantDirectory } from '../tenants';
import { Brand } from './brand';
import { RunButton } from './run-button';
import { TenantPicker } from './tenant-picker';

interface Props {
  session: Session;
  directory: TenantDirectory;
  home: Home | null;
  theme: 'light' | 'dark';
  themeSwitch: ReactNode;
  leave: (why?: string) => void;
}

export function Workbench({ session, directory, home, theme, themeSwitch, leave }: Props) {
  const [tenant, setTenant] = useState<Tenant | null>(home?.tenant ?? null);
  // One for the whole session, so that tabs and history survive a change of tenant.
  const storage = useMemo(() => memoryStorage(examples), [session]);

  return (
    <div className="workbench">
      <header className="top-bar">
        <Brand />
        <TenantPicker directory={directory} chosen={tenant} choose={setTenant} />
        <p className="location" role="status">
          {tenant && <Location tenant={tenant} />}
        </p>
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

/** Where the next operation goes; read out after each change of tenant. */
function Location({ tenant }: { tenant: Tenant }) {
  return (
    <>
      In <strong>{tenant.name}</strong>
      {tenant.path.length > 0 && <> below {pathText(tenant)}</>} <code>{shortId(tenant)}</code>
    </>
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
        <GraphiQL.Toolbar>
          {({ prettify, copy, merge }) => (
            <>
              <RunButton tenant={tenant} />
              {prettify}
              {merge}
              {copy}
            </>
          )}
        </GraphiQL.Toolbar>
      </GraphiQL>
    </main>
  );
}
