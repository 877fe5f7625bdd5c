import type { GraphQLSchema } from 'graphql';
import { parse, print } from 'graphql';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { tenantRows, type GraphqlError } from '../answer';
import { jsonPosition } from '../json-position';
import { operationTitle } from '../operation';
import type { Session } from '../session';
import type { Tenant } from '../tenants';
import { useExecution } from '../use-execution';
import type { useWork } from '../work';
import { CodeEditor, type CodeEditorHandle } from './code-editor';
import { ResponseBar } from './response-bar';
import { RunButton } from './run-button';
import { TenantResults } from './tenant-results';

interface Props {
  session: Session;
  tenant: Tenant;
  schema: GraphQLSchema | null;
  work: ReturnType<typeof useWork>;
  leave: (why?: string) => void;
}

/** The open operations, the editors of one of them, and its response. */
export function OperationPane({ session, tenant, schema, work, leave }: Props) {
  const { active, tabs, dispatch } = work;
  const execution = useExecution(session, tenant, active, dispatch, leave);
  const queryEditor = useRef<CodeEditorHandle>(null);
  const [inputs, setInputs] = useState<'Variables' | 'Headers'>('Variables');
  const edit = (change: Partial<typeof active>) => dispatch({ type: 'edit', change });

  // Whoever has just signed in, changed the tenant or opened a tab goes on in the text.
  useEffect(() => queryEditor.current?.focus(), [active.id]);

  function prettify() {
    try {
      edit({ query: print(parse(active.query)) });
    } catch {
      // The editor already marks what cannot be parsed.
    }
  }

  return (
    <>
      <section className="operation" aria-label="Operation">
        <ul className="tabs" aria-label="Open operations">
          {tabs.map((tab) => (
            <li key={tab.id} className={tab.id === active.id ? 'active' : undefined}>
              <button
                type="button"
                aria-current={tab.id === active.id ? 'true' : undefined}
                onClick={() => dispatch({ type: 'activate', id: tab.id })}
              >
                {operationTitle(tab.query)}
              </button>
              <button
                type="button"
                className="close"
                aria-label={`Close ${operationTitle(tab.query)}`}
                onClick={() => dispatch({ type: 'close', id: tab.id })}
              >
                ×
              </button>
            </li>
          ))}
          <li>
            <button type="button" aria-label="New operation" onClick={() => dispatch({ type: 'open', query: '', variables: '' })}>
              +
            </button>
          </li>
        </ul>
        <div className="commands">
          <RunButton
            tenant={tenant}
            query={active.query}
            operationName={active.operationName}
            running={execution.running}
            selectName={(operationName) => edit({ operationName })}
            run={execution.run}
            stop={execution.stop}
          />
          <button type="button" onClick={prettify}>
            Prettify
          </button>
        </div>
        <CodeEditor
          key={`query-${active.id}`}
          label="Query"
          language="graphql"
          value={active.query}
          onChange={(query) => edit({ query })}
          onRun={execution.run}
          schema={schema}
          handle={queryEditor}
        />
        <div className="switch" role="group" aria-label="Inputs">
          {(['Variables', 'Headers'] as const).map((name) => (
            <button key={name} type="button" aria-pressed={inputs === name} onClick={() => setInputs(name)}>
              {name}
            </button>
          ))}
        </div>
        <CodeEditor
          key={`${inputs}-${active.id}`}
          label={inputs}
          language="json"
          value={inputs === 'Variables' ? active.variables : active.headers}
          onChange={(text) => edit(inputs === 'Variables' ? { variables: text } : { headers: text })}
          onRun={execution.run}
        />
      </section>
      <ResponsePane key={active.id} execution={execution} tenant={tenant} />
    </>
  );
}

interface ResponseProps {
  execution: ReturnType<typeof useExecution>;
  tenant: Tenant;
}

function ResponsePane({ execution, tenant }: ResponseProps) {
  const { outcome, problem, running } = execution;
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
    <section className="response" aria-label="Response">
      <ResponseBar {...{ outcome, problem, running, tenantNames, jumpTo }} copy={() => void navigator.clipboard.writeText(text)} />
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
    </section>
  );
}
