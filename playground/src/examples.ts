import { operationsOf, operationTitle, placeholdersIn } from './operation';

const documents = import.meta.glob<string>('../examples/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob<string>('../examples/*.json', { query: '?raw', import: 'default', eager: true });

export interface Example {
  /** The name of its operation. */
  name: string;
  group: string;
  /** One line on what it does. */
  summary: string;
  /** Whether it is a mutation, which changes something in the tenant. */
  mutates: boolean;
  /** What has to be filled in before it can run. */
  fillIn: string[];
  query: string;
  variables: string;
}

/** Each file of `examples/`, in the order of their names. Its first comment reads `# Group: summary`. */
export const examples: Example[] = Object.keys(documents)
  .sort()
  .map((path) => {
    const query = documents[path] ?? '';
    const json = variables[path.replace(/\.graphql$/, '.json')] ?? '';
    const [, group = 'Other', summary = ''] = /^# ([^:\n]+): ([^\n]+)/.exec(query) ?? [];
    return {
      name: operationTitle(query),
      group,
      summary,
      mutates: operationsOf(query)[0]?.operation === 'mutation',
      fillIn: placeholdersIn(json ? JSON.parse(json) : {}).map(({ path, hint }) => `${path}: ${hint}`),
      query,
      variables: json,
    };
  });

export function matchingExamples(text: string): Map<string, Example[]> {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = examples.filter(({ name, group, summary }) => {
    const searched = `${name} ${group} ${summary}`.toLowerCase();
    return words.every((word) => searched.includes(word));
  });
  const groups = new Map<string, Example[]>();
  for (const example of matches) {
    groups.set(example.group, [...(groups.get(example.group) ?? []), example]);
  }
  return groups;
}
