import { useState } from 'preact/hooks';
import { matchingExamples, type Example } from '../examples';

/** The examples, searched by word and grouped by what they are about. */
export function ExamplesPanel({ open }: { open: (example: Example) => void }) {
  const [text, setText] = useState('');
  const groups = [...matchingExamples(text)];
  return (
    <>
      <input
        type="search"
        aria-label="Search examples"
        placeholder="Search examples"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <p className="visually-hidden" role="status">
        {groups.reduce((sum, [, list]) => sum + list.length, 0)} examples
      </p>
      {groups.length === 0 && <p>No example has these words.</p>}
      {groups.map(([group, list]) => (
        <section key={group} aria-label={group}>
          <h3>{group}</h3>
          <ul>
            {list.map((example) => (
              <li key={example.name}>
                <button type="button" className="entry" onClick={() => open(example)}>
                  <span className="entry-name">
                    {example.name}
                    {example.mutates && <span className="badge changes">changes</span>}
                  </span>
                  <span className="entry-summary">{example.summary}</span>
                  {example.fillIn.map((hint) => (
                    <span key={hint} className="entry-fill-in">
                      Fill in {hint}
                    </span>
                  ))}
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}
