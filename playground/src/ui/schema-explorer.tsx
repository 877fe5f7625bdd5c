import {
  getNamedType,
  isAbstractType,
  isObjectType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationTypeNode,
} from 'graphql';
import { useState } from 'preact/hooks';
import { isSelected, toggleField, type FieldPath } from '../build-query';

const OPERATIONS = ['query', 'mutation', 'subscription'] as OperationTypeNode[];

interface Props {
  schema: GraphQLSchema | null;
  problem: string;
  document: string;
  edit: (document: string) => void;
}

/** The schema as a tree: a box that is checked stands in the operation of the open tab. */
export function SchemaExplorer({ schema, problem, document, edit }: Props) {
  const [operation, setOperation] = useState<OperationTypeNode>(OPERATIONS[0]!);
  const [text, setText] = useState('');
  if (!schema) {
    return <p role="status">{problem || 'Loading the schema…'}</p>;
  }
  const root = schema.getRootType(operation);
  const matches = (field: GraphQLField<unknown, unknown>) =>
    `${field.name} ${field.description ?? ''}`.toLowerCase().includes(text.trim().toLowerCase());
  const fields = Object.values(root?.getFields() ?? {}).filter(matches);
  const toggle = (path: FieldPath) => edit(toggleField(schema, document, path));
  return (
    <>
      <label className="field-label">
        Kind
        <select
          value={operation}
          onChange={({ currentTarget }) => setOperation(currentTarget.value as OperationTypeNode)}
        >
          {OPERATIONS.filter((kind) => schema.getRootType(kind)).map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </select>
      </label>
      <input
        type="search"
        aria-label="Search fields"
        placeholder="Search fields"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      {fields.length === 0 && <p>No field has these words.</p>}
      <ul className="schema-tree">
        {fields.map((field) => (
          <SchemaField key={field.name} {...{ field, document, toggle }} path={{ operation, names: [field.name] }} />
        ))}
      </ul>
    </>
  );
}

interface FieldProps {
  field: GraphQLField<unknown, unknown>;
  path: FieldPath;
  document: string;
  toggle: (path: FieldPath) => void;
}

function SchemaField({ field, path, document, toggle }: FieldProps) {
  const [open, setOpen] = useState(false);
  const type = getNamedType(field.type);
  const children = fieldsOf(type);
  const selected = isSelected(document, path);
  return (
    <li>
      <span className="schema-field">
        <button
          type="button"
          className="twisty"
          aria-expanded={open}
          aria-label={`Details of ${field.name}`}
          onClick={() => setOpen(!open)}
        >
          {open ? '−' : '+'}
        </button>
        <label className={field.deprecationReason ? 'deprecated' : undefined}>
          <input type="checkbox" checked={selected} onChange={() => toggle(path)} />
          {field.name} <code>{String(field.type)}</code>
        </label>
      </span>
      {open && (
        <div className="schema-details">
          {field.description && <p>{field.description}</p>}
          {field.deprecationReason && <p>Deprecated: {field.deprecationReason}</p>}
          {field.args.length > 0 && (
            <dl>
              {field.args.map((argument) => (
                <div key={argument.name}>
                  <dt>
                    {argument.name} <code>{String(argument.type)}</code>
                  </dt>
                  {argument.description && <dd>{argument.description}</dd>}
                </div>
              ))}
            </dl>
          )}
          {children.length > 0 && (
            <ul>
              {children.map((child) => (
                <SchemaField
                  key={child.name}
                  field={child}
                  path={{ ...path, names: [...path.names, child.name] }}
                  {...{ document, toggle }}
                />
              ))}
            </ul>
          )}
        </div>
      )}
    </li>
  );
}

function fieldsOf(type: GraphQLNamedType): GraphQLField<unknown, unknown>[] {
  if (isObjectType(type)) {
    return Object.values(type.getFields());
  }
  return isAbstractType(type) && 'getFields' in type ? Object.values(type.getFields()) : [];
}
