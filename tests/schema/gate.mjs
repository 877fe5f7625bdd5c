// Rejects a schema that would break programs written for the previous one. Arguments: the paths of the older and the newer.
// An intended breaking change is listed, word for word, in approved.txt beside this file, below a comment with its reason.
import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const here = new URL('.', import.meta.url);
const read = (path) => buildSchema(readFileSync(path, 'utf8'));
const lines = readFileSync(new URL('approved.txt', here), 'utf8').split('\n');
const approved = new Set(lines.filter((line) => line && !line.startsWith('#')));

const changes = await diff(read(process.argv[2]), read(process.argv[3]));
const breaking = changes.filter((change) => change.criticality.level === CriticalityLevel.Breaking);
const refused = breaking.filter((change) => !approved.has(change.message));

for (const change of refused) {
  console.error(`breaking: ${change.message}`);
}
console.log(`${changes.length} changes, ${breaking.length} breaking, ${breaking.length - refused.length} of them approved`);
process.exit(refused.length === 0 ? 0 : 1);
