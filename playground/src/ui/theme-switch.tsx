import { choices, type Choice } from '../theme';

const names: Record<Choice, string> = { system: 'System', light: 'Light', dark: 'Dark' };

export function ThemeSwitch({ choice, choose }: { choice: Choice; choose: (choice: Choice) => void }) {
  return (
    <label className="theme-switch">
      <span>Theme</span>
      <select value={choice} onChange={({ currentTarget }) => choose(currentTarget.value as Choice)}>
        {choices.map((value) => (
          <option key={value} value={value}>
            {names[value]}
          </option>
        ))}
      </select>
    </label>
  );
}
