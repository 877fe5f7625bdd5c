import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { buildSchema, NoDeprecatedCustomRule, parse, specifiedRules, validate } from 'graphql';

const root = process.env.TENANT_GATEWAY_ROOT;
const folder = `${root}/playground/examples`;
const schema = buildSchema(readFileSync(`${root}/schema.graphql`, 'utf8'));

for (const file of readdirSync(folder).filter((name) => name.endsWith('.graphql'))) {
  test(`${file} fits the schema and uses nothing deprecated`, () => {
    const document = parse(readFileSync(`${folder}/${file}`, 'utf8'));
    assert.deepEqual(validate(schema, document, [...specifiedRules, NoDeprecatedCustomRule]), []);
    const [operation] = document.definitions;
    assert.ok(operation.name, 'the name of the operation is the name of its tab');
  });
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  test(`${file} holds variables of the document beside it`, () => {
    const variables = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'));
    const [operation] = parse(readFileSync(`${folder}/${file.replace('.json', '.graphql')}`, 'utf8')).definitions;
    const declared = operation.variableDefinitions.map(({ variable }) => variable.name.value);
    assert.deepEqual(Object.keys(variables).sort(), declared.sort());
  });
}
