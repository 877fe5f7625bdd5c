const documents = import.meta.glob<string>('../examples/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob<string>('../examples/*.json', { query: '?raw', import: 'default', eager: true });

/** One tab for each file of `examples/`, in the order of their names; variables stand beside them. */
export const examples = Object.keys(documents)
  .sort()
  .map((path) => ({
    query: documents[path] ?? '',
    variables: variables[path.replace(/\.graphql$/, '.json')] ?? null,
  }));
