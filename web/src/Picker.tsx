import { useState } from 'react';
import { entries } from 'virtual:operations';
import type { Entry, Group } from '../operations/collect';

const names: Record<Group, string> = { mobile: 'Mobile app', web: 'Web front end', analyst: 'Analyst', operator: 'Operator' };

/** groupOf is the group whose operations a role wants to see first. */
const groupOf: Record<string, Group> = { mobile: 'mobile', 'front end': 'web', analyst: 'analyst', operator: 'operator' };

interface PickerProps {
  role?: string;
  shown: boolean;
  disabled: boolean;
  onChoose: (entry: Entry) => void;
}

/** Picker lists the operations that are ready to run, by who sends them. */
export function Picker({ role, shown, disabled, onChoose }: PickerProps) {
  const [sought, setSought] = useState('');
  const words = sought.toLowerCase().split(/\s+/);
  const matches = (entry: Entry) => words.every((word) => `${entry.title} ${entry.about} ${entry.kind}`.toLowerCase().includes(word));
  return (
    <nav id="operations" className="picker" data-shown={shown} aria-label="Operations">
      <input type="search" placeholder="Find an operation" aria-label="Find an operation" value={sought} onChange={(event) => setSought(event.target.value)} />
      {Object.entries(names).map(([group, name]) => {
        const found = entries.filter((entry) => entry.group === group && matches(entry));
        if (found.length === 0) return null;
        return (
          <details key={`${group} ${role ?? ''} ${sought !== ''}`} open={sought !== '' || group === (groupOf[role ?? ''] ?? 'mobile')}>
            <summary><h2>{name}</h2></summary>
            <ul>
              {found.map((entry) => (
                <li key={entry.title}>
                  <button type="button" disabled={disabled} title={entry.about} onClick={() => onChoose(entry)}>
                    <span className={`kind ${entry.kind}`} aria-label={entry.kind}>{entry.kind[0].toUpperCase()}</span>
                    {entry.title}
                  </button>
                </li>
              ))}
            </ul>
          </details>
        );
      })}
    </nav>
  );
}
