// Writes the documents for Relay's compiler: tagged, in a file named after their prefix.
import { mkdirSync, writeFileSync } from 'node:fs';
import * as documents from './documents.mjs';

mkdirSync('relay', { recursive: true });
const tagged = Object.entries(documents).map(([name, text]) => `export const ${name} = graphql\`${text}\`;`);
writeFileSync('relay/documents.js', `import { graphql } from 'relay-runtime';\n${tagged.join('\n')}\n`);
writeFileSync('relay.config.json', JSON.stringify({ src: 'relay', schema: 'schema.graphql', language: 'javascript', eagerEsModules: true }));
