import { useEffect, useState } from 'react';
import type { Session } from '../../session';
import { sentence } from '../words';
import { searchDocument } from './documents';

interface Found { id: string; fullName: string; kycStatus: string | null }
interface Customers { customers: { edges: { node: Found }[] } | null }
interface Result { found: Found[]; problem?: string }

async function search(session: Session, text: string): Promise<Result> {
  try {
    const answer = await session.request<Customers>(searchDocument, { search: text });
    return { found: answer.data?.customers?.edges.map((edge) => edge.node) ?? [], problem: answer.errors?.[0]?.message };
  } catch (reason) {
    return { found: [], problem: reason instanceof Error ? reason.message : String(reason) };
  }
}

/** useSearch looks for customers once somebody stops typing. */
function useSearch(session: Session, text: string): Result | undefined {
  const [result, setResult] = useState<Result>();
  useEffect(() => {
    setResult(undefined);
    if (text.trim().length < 2) return;
    let over = false;
    const timer = setTimeout(() => void search(session, text.trim()).then((came) => over || setResult(came)), 250);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [session, text]);
  return result;
}

/** CustomerSearch finds a customer by name, e-mail address or telephone number. */
export function CustomerSearch({ session, onChoose }: { session: Session; onChoose: (id: string) => void }) {
  const [text, setText] = useState('');
  const result = useSearch(session, text);
  const choose = (id: string) => {
    setText('');
    onChoose(id);
  };
  return (
    <search className="summary-search" onKeyDown={(event) => event.key === 'Escape' && setText('')}>
      <label className="pic-field">
        Customer
        <input type="search" value={text} onChange={(event) => setText(event.target.value)} autoComplete="off"
          placeholder="Name, e-mail or telephone" />
      </label>
      <div aria-live="polite">
        {result?.problem && <p className="pic-problem">{result.problem}</p>}
        {result && !result.problem && result.found.length === 0 && <p className="pic-quiet">Nobody found.</p>}
        {result && result.found.length > 0 && <Choices found={result.found} onChoose={choose} />}
      </div>
    </search>
  );
}

function Choices({ found, onChoose }: { found: Found[]; onChoose: (id: string) => void }) {
  return (
    <ul className="summary-choices" aria-label="Customers found">
      {found.map(({ id, fullName, kycStatus }) => (
        <li key={id}>
          <button type="button" onClick={() => onChoose(id)}>
            {fullName} <span className="pic-quiet">{kycStatus && `KYC ${sentence(kycStatus).toLowerCase()}`}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
