import type { HistoryEntry } from '../work';

interface Props {
  entries: HistoryEntry[];
  kept: boolean;
  setKept: (kept: boolean) => void;
  open: (entry: HistoryEntry) => void;
  clear: () => void;
}

export function HistoryPanel({ entries, kept, setKept, open, clear }: Props) {
  return (
    <>
      <label className="keep">
        <input type="checkbox" checked={kept} onChange={({ currentTarget }) => setKept(currentTarget.checked)} />
        Keep tabs and history in this browser
      </label>
      <p className="note">Values named like a secret are left out, and so are headers, answers and credentials.</p>
      {entries.length === 0 ? (
        <p>Operations that you run are listed here.</p>
      ) : (
        <>
          <ul>
            {entries.map((entry) => (
              <li key={entry.at}>
                <button type="button" className="entry" onClick={() => open(entry)}>
                  <span className="entry-name">
                    {entry.title}
                    {entry.failed && <span className="badge failed">errors</span>}
                    {entry.unanswered && <span className="badge changes">no answer</span>}
                  </span>
                  <span className="entry-summary">
                    {entry.tenant}, {new Date(entry.at).toLocaleTimeString()}
                  </span>
                </button>
              </li>
            ))}
          </ul>
          <button type="button" onClick={clear}>
            Clear history
          </button>
        </>
      )}
    </>
  );
}
