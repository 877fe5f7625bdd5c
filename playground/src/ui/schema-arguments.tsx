import {
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { useId } from 'preact/hooks';
import { isGiven, toggleArgument } from '../build-query/arguments';
import type { Draft, FieldPath } from '../build-query/document';
import { inputObjectOf, isInputGiven, toggleInput, type InputPath } from '../build-query/variables';

/** A field of the schema, and the draft that selects it. */
export interface FieldProps {
  schema: GraphQLSchema;
  field: GraphQLField<unknown, unknown>;
  path: FieldPath;
  draft: Draft;
  edit: (draft: Draft) => void;
}

/** The arguments of a field: a box that is checked is given in the operation of the open tab. */
export function SchemaArguments({ schema, field, path, draft, edit }: FieldProps) {
  return (
    <ul className="schema-arguments" aria-label={`Arguments of ${field.name}`}>
      {field.args.map((argument) => (
        <li key={argument.name}>
          <Box
            input={argument}
            isRequired={isRequiredArgument(argument)}
            isTicked={isGiven(draft.query, path, argument.name)}
            toggle={() => edit(toggleArgument(schema, draft, path, argument.name))}
          />
          <InputFields type={argument.type} path={{ field: path, argument: argument.name, names: [] }} {...{ draft, edit }} />
        </li>
      ))}
    </ul>
  );
}

interface InputProps {
  type: GraphQLInputType;
  path: InputPath;
  draft: Draft;
  edit: (draft: Draft) => void;
}

/** The fields of an input object that the variables contain. */
function InputFields({ type, path, draft, edit }: InputProps) {
  const fields = Object.values(inputObjectOf(type)?.getFields() ?? {});
  const below = (name: string) => ({ ...path, names: [...path.names, name] });
  if (!fields.some(({ name }) => isInputGiven(draft, below(name)) !== null)) {
    return null;
  }
  return (
    <ul aria-label={`Fields of ${path.names.at(-1) ?? path.argument}`}>
      {fields.map((input) => (
        <li key={input.name}>
          <Box
            input={input}
            isRequired={isRequiredInputField(input)}
            isTicked={isInputGiven(draft, below(input.name)) ?? false}
            toggle={() => edit(toggleInput(draft, below(input.name), input.type))}
          />
          <InputFields type={input.type} path={below(input.name)} {...{ draft, edit }} />
        </li>
      ))}
    </ul>
  );
}

interface BoxProps {
  input: GraphQLArgument | GraphQLInputField;
  isRequired: boolean;
  isTicked: boolean;
  toggle: () => void;
}

/** A required value can be added where it is missing, but not be taken away. */
function Box({ input, isRequired, isTicked, toggle }: BoxProps) {
  const id = useId();
  return (
    <>
      <span className="schema-field">
        <label className={input.deprecationReason ? 'deprecated' : undefined}>
          <input
            type="checkbox"
            checked={isTicked}
            disabled={isRequired && isTicked}
            aria-describedby={input.description ? id : undefined}
            onChange={toggle}
          />
          {input.name} <code>{String(input.type)}</code>
          {isRequired && <em>required</em>}
        </label>
      </span>
      {input.description && <p id={id}>{input.description}</p>}
    </>
  );
}
