import { useEditorContext, useExecutionContext, type EditorContextType } from '@graphiql/react';
import { Kind, parse, type OperationTypeNode } from 'graphql';
import { useEffect, useState } from 'react';
import type { Tenant } from '../tenants';

interface DocumentOperation {
  name: string | undefined;
  type: OperationTypeNode;
}

/** Runs the operation; for a mutation the button names the tenant that will change. */
export function RunButton({ tenant }: { tenant: Tenant }) {
  const { queryEditor, setOperationName } = useEditorContext({ nonNull: true });
  const { isFetching, isSubscribed, operationName, run, stop } = useExecutionContext({ nonNull: true });
  const operations = useOperations(queryEditor);
  const chosen = operations.find(({ name }) => name === operationName) ?? operations[0];

  return (
    <>
      {isFetching || isSubscribed ? (
        <button type="button" className="run" onClick={stop}>
          Stop
        </button>
      ) : (
        <button type="button" className="run" onClick={run} title="Ctrl-Enter">
          {chosen?.type === 'mutation' ? `Run mutation in ${tenant.name}` : 'Run'}
        </button>
      )}
      {operations.length > 1 && (
        <select
          aria-label="Operation"
          value={chosen?.name}
          onChange={(event) => setOperationName(event.target.value)}
        >
          {operations.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
    </>
  );
}

/** The operations of the document as it stands in the editor at this moment. */
function useOperations(editor: EditorContextType['queryEditor']): DocumentOperation[] {
  const [operations, setOperations] = useState<DocumentOperation[]>([]);
  useEffect(() => {
    const read = () => setOperations(operationsOf(editor?.getValue() ?? ''));
    read();
    editor?.on('change', read);
    return () => editor?.off('change', read);
  }, [editor]);
  return operations;
}

function operationsOf(document: string): DocumentOperation[] {
  try {
    const definitions = parse(document).definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
    return definitions.map(({ name, operation }) => ({ name: name?.value, type: operation }));
  } catch {
    // While a document is being typed it often cannot be parsed.
    return [];
  }
}
