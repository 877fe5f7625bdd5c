import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { tenantRows, type GraphqlError } from '../answer';
import { elsewhere, type Execution } from '../executions';
import { jsonPosition } from '../json-position';
import type { Tenant } from '../tenants';
import type { useExecutions } from '../use-executions';
import { CodeEditor, type CodeEditorHandle } from './code-editor';
import { Elsewhere } from './elsewhere';
import { ResponseBar } from './response-bar';
import { TenantResults } from './tenant-results';

interface Props {
  tab: number;
  tenant: Tenant;
  /** That of this tab in this tenant. */
  execution: Execution | undefined;
  executions: ReturnType<typeof useExecutions>;
}

/** The response of the open tab, below what was sent in other tenants. */
export function ResponsePane({ tab, tenant, execution, executions }: Props) {
  const [shownKey, setShownKey] = useState<number | null>(null);
  const others = elsewhere(executions.all, tab, tenant.id);
  const shown = others.find(({ key }) => key === shownKey);

  // A new run in this tab is to be seen, and so is its end.
  useEffect(() => setShownKey(null), [execution?.key, execution?.running]);

  const endedKey = execution && !execution.running && !shown ? execution.key : null;
  useEffect(() => {
    if (endedKey !== null) {
      executions.see(endedKey);
    }
  }, [endedKey]);

  return (
    <section className="response" aria-label="Response">
      <Elsewhere executions={others} shown={shown} show={setShownKey} stop={executions.stop} dismiss={executions.dismiss} />
      <Response key={shown?.key ?? 'own'} execution={shown ?? execution} tenant={tenant} />
    </section>
  );
}

function Response({ execution, tenant: current }: { execution: Execution | undefined; tenant: Tenant }) {
  const { outcome = null, problem = '', running = false, tenant = current } = execution ?? {};
  const viewer = useRef<CodeEditorHandle>(null);
  const [view, setView] = useState<'JSON' | 'Tenants'>('JSON');
  const [target, setTarget] = useState<{ path: (string | number)[] } | null>(null);
  const text = useMemo(() => (outcome ? JSON.stringify(outcome.answer, null, 2) : ''), [outcome]);
  const rows = useMemo(() => (outcome ? tenantRows(outcome.answer) : []), [outcome]);
  const tenantNames = useMemo(
    () => new Map([[tenant.id, tenant.name], ...rows.map(({ id, name }) => [id, name] as const)]),
    [rows, tenant],
  );
  const shown = rows.length > 0 ? view : 'JSON';

  // After the JSON is on the screen, which a jump from the table of tenants first brings there.
  useEffect(() => {
    if (target && shown === 'JSON') {
      viewer.current?.reveal(jsonPosition(text, ['data', ...target.path]));
    }
  }, [target, shown]);

  function jumpTo(path: GraphqlError['path']) {
    if (path) {
      setView('JSON');
      setTarget({ path });
    }
  }

  return (
    <>
      <ResponseBar
        {...{ outcome, problem, running, tenantNames, jumpTo }}
        from={tenant.id === current.id ? null : tenant}
        copy={() => void navigator.clipboard.writeText(text)}
      />
      {rows.length > 0 && (
        <div className="switch" role="group" aria-label="View">
          {(['JSON', 'Tenants'] as const).map((name) => (
            <button key={name} type="button" aria-pressed={shown === name} onClick={() => setView(name)}>
              {name}
            </button>
          ))}
        </div>
      )}
      {shown === 'JSON' ? (
        <CodeEditor label="Response" language="json" value={text} readOnly handle={viewer} />
      ) : (
        <TenantResults rows={rows} jumpTo={jumpTo} />
      )}
    </>
  );
}
