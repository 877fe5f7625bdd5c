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
import type { Draft } from '../build-query/document';
import { isSelected, toggleField } from '../build-query/fields';
import { SchemaArguments, type FieldProps } from './schema-arguments';

const OPERATIONS = ['query', 'mutation', 'subscription'] as OperationTypeNode[];

interface Props {
  schema: GraphQLSchema | null;
  problem: string;
  draft: Draft;
  edit: (draft: Draft) => void;
}

/** The schema as a tree: a box that is checked stands in the operation of the open tab. */
export function SchemaExplorer({ schema, problem, draft, edit }: Props) {
  const [operation, setOperation] = useState<OperationTypeNode>(OPERATIONS[0]!);
  const [text, setText] = useState('');
  if (!schema) {
    return <p role="status">{problem || 'Loading the schema…'}</p>;
  }
  const root = schema.getRootType(operation);
  const matches = (field: GraphQLField<unknown, unknown>) =>
    `${field.name} ${field.description ?? ''}`.toLowerCase().includes(text.trim().toLowerCase());
  const fields = Object.values(root?.getFields() ?? {}).filter(matches);
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
          <SchemaField key={field.name} {...{ schema, field, draft, edit }} path={{ operation, names: [field.name] }} />
        ))}
      </ul>
    </>
  );
}

function SchemaField({ schema, field, path, draft, edit }: FieldProps) {
  const [open, setOpen] = useState(false);
  const children = fieldsOf(getNamedType(field.type));
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
          <input
            type="checkbox"
            checked={isSelected(draft.query, path)}
            onChange={() => edit(toggleField(schema, draft, path))}
          />
          {field.name} <code>{String(field.type)}</code>
        </label>
      </span>
      {open && (
        <div className="schema-details">
          {field.description && <p>{field.description}</p>}
          {field.deprecationReason && <p>Deprecated: {field.deprecationReason}</p>}
          {field.args.length > 0 && <SchemaArguments {...{ schema, field, path, draft, edit }} />}
          {children.length > 0 && (
            <ul>
              {children.map((child) => (
                <SchemaField
                  key={child.name}
                  field={child}
                  path={{ ...path, names: [...path.names, child.name] }}
                  {...{ schema, draft, edit }}
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
