import type { GraphQLSchema } from 'graphql';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { openMutations } from '../executions';
import { askToSignOut } from '../leaving';
import { loadSchema } from '../schema';
import type { Session } from '../session';
import { pathText, shortId, type Home, type Tenant, type TenantDirectory } from '../tenants';
import { useExecutions } from '../use-executions';
import { exampleChange, useWork } from '../work';
import { Brand } from './brand';
import { ExamplesPanel } from './examples-panel';
import { HistoryPanel } from './history-panel';
import { OperationPane } from './operation-pane';
import { SchemaExplorer } from './schema-explorer';
import { TenantPicker } from './tenant-picker';

interface Props {
  session: Session;
  directory: TenantDirectory;
  home: Home | null;
  themeSwitch: ComponentChildren;
  leave: (why?: string) => void;
  signOut: () => void;
}

const PANELS = ['Examples', 'Schema', 'History'] as const;

export function Workbench({ session, directory, home, themeSwitch, leave, signOut }: Props) {
  const [tenant, setTenant] = useState<Tenant | null>(home?.tenant ?? null);
  const [panel, setPanel] = useState<(typeof PANELS)[number]>('Examples');
  const work = useWork();
  const { schema, schemaProblem } = useSchema(session);
  const { active, dispatch } = work;
  const executions = useExecutions(session, dispatch, leave);

  function enter(next: Tenant) {
    if (tenant && tenant.id !== next.id) {
      executions.leaveTenant(tenant);
    }
    setTenant(next);
  }

  function signOutIfSure() {
    const open = openMutations(executions.all);
    if (open.length === 0 || confirm(askToSignOut(open))) {
      executions.end(signOut);
    }
  }

  return (
    <div className="workbench">
      <header className="top-bar">
        <h1>
          <Brand />
        </h1>
        <TenantPicker directory={directory} chosen={tenant} choose={enter} />
        <p className="location" role="status">
          {tenant && <Location tenant={tenant} />}
        </p>
        <span className="space" />
        {home && <span className="subject">{home.displayName}</span>}
        {themeSwitch}
        <button type="button" onClick={signOutIfSure}>
          Sign out
        </button>
      </header>
      <main className="panes">
        <nav className="side" aria-label="Workbench">
          <div className="switch" role="group" aria-label="Panel">
            {PANELS.map((name) => (
              <button key={name} type="button" aria-pressed={panel === name} onClick={() => setPanel(name)}>
                {name}
              </button>
            ))}
          </div>
          <div className="side-content">
            <h2 className="visually-hidden">{panel}</h2>
            {panel === 'Examples' && <ExamplesPanel open={(example) => dispatch(exampleChange(example))} />}
            {panel === 'Schema' && (
              <SchemaExplorer
                schema={schema}
                problem={schemaProblem}
                draft={active}
                edit={({ query, variables }) => dispatch({ type: 'edit', change: { query, variables } })}
              />
            )}
            {panel === 'History' && (
              <HistoryPanel
                entries={work.history}
                kept={work.kept}
                setKept={work.setKept}
                open={({ query, variables }) => dispatch({ type: 'open', query, variables })}
                clear={() => dispatch({ type: 'clearHistory' })}
              />
            )}
          </div>
        </nav>
        {tenant ? (
          // A new key makes everything anew: no answer of one tenant stays on the screen of another.
          <OperationPane key={tenant.id} {...{ tenant, schema, work, executions }} />
        ) : (
          <p className="no-tenant">
            {session.holder === 'person' ? 'You hold no role in your own tenant.' : 'This client holds no role in its own tenant.'}{' '}
            Choose a tenant above, or type the id of one.
          </p>
        )}
      </main>
    </div>
  );
}

function useSchema(session: Session) {
  const [schema, setSchema] = useState<GraphQLSchema | null>(null);
  const [schemaProblem, setSchemaProblem] = useState('');
  useEffect(() => {
    loadSchema(session).then(setSchema, (error: Error) => {
      setSchemaProblem(`The schema cannot be read, so there is no completion: ${error.message}`);
    });
  }, [session]);
  return { schema, schemaProblem };
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
