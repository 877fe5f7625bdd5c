import type { GraphQLSchema } from 'graphql';
import { parse, print } from 'graphql';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isIn } from '../executions';
import { operationTitle } from '../operation';
import type { Tenant } from '../tenants';
import type { useExecutions } from '../use-executions';
import type { useWork } from '../work';
import { CodeEditor, type CodeEditorHandle } from './code-editor';
import { ResponsePane } from './response-pane';
import { RunButton } from './run-button';

interface Props {
  tenant: Tenant;
  schema: GraphQLSchema | null;
  work: ReturnType<typeof useWork>;
  executions: ReturnType<typeof useExecutions>;
}

/** The open operations, the editors of one of them, and its response. */
export function OperationPane({ tenant, schema, work, executions }: Props) {
  const { active, tabs, dispatch } = work;
  const execution = executions.all.find((other) => isIn(other, active.id, tenant.id));
  const run = () => executions.run(active, tenant);
  const queryEditor = useRef<CodeEditorHandle>(null);
  const [inputs, setInputs] = useState<'Variables' | 'Headers'>('Variables');
  const edit = (change: Partial<typeof active>) => dispatch({ type: 'edit', change });

  // The cursor stands in the text after a sign-in, a change of tenant and a new tab. It moves in the render itself:
  // moved later, it would leave an input that the person has reached by then.
  useLayoutEffect(() => queryEditor.current?.focus(), [active.id]);

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
                onClick={() => {
                  executions.closeTab(tab.id);
                  dispatch({ type: 'close', id: tab.id });
                }}
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
            running={execution?.running ?? false}
            selectName={(operationName) => edit({ operationName })}
            run={run}
            stop={() => execution && executions.stop(execution)}
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
          onRun={run}
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
          onRun={run}
        />
      </section>
      <ResponsePane key={active.id} {...{ execution, executions, tenant }} tab={active.id} />
    </>
  );
}
