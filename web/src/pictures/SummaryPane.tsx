// The pane that draws a customer's credit summary.
import { useState } from 'react';
import type { Session } from '../session';
import { Frame } from './Frame';
import { CustomerSearch } from './summary/CustomerSearch';
import { SummaryPage } from './summary/SummaryPage';
import { useSummary } from './summary/usesummary';
import { useNow } from './usenow';
import './pictures.css';
import './summary/summary.css';

/** SummaryPaneProps are what the pane draws from. */
export interface SummaryPaneProps {
  session: Session;
  /** response is the latest answer, as an object or as text. */
  response: unknown;
  customerId?: string | null;
  /** onCustomerId learns whom somebody chose. */
  onCustomerId: (id: string) => void;
}

/** SummaryPane draws the summary that the latest answer holds, or the one of a customer chosen here. */
export default function SummaryPane({ session, response, customerId, onCustomerId }: SummaryPaneProps) {
  const { summaries, asked, ask, given } = useSummary(session, response, customerId);
  const [index, setIndex] = useState(0);
  const now = useNow();
  const summary = summaries[Math.min(index, summaries.length - 1)];
  const choose = (id: string) => {
    setIndex(0);
    onCustomerId(id);
    ask(id);
  };
  return (
    <Frame label="Credit summary">
      <CustomerSearch session={session} onChoose={choose} />
      {given && summaries.length > 1 && <Chooser names={summaries.map((each) => each.name)} index={index} onIndex={setIndex} />}
      <div aria-live="polite" className="pic-status">
        {asked?.state === 'asking' && <p className="pic-quiet">Asking for the summary…</p>}
        {asked?.problems.map((problem) => <p key={problem} className="pic-problem">{problem}</p>)}
      </div>
      {summary && <SummaryPage summary={summary} now={now} />}
      {summary && <Origin given={given} onAgain={summary.customerId ? () => choose(summary.customerId!) : undefined} />}
      {!summary && !asked && <p className="pic-quiet">Run an operation that asks for a credit summary, or look for a customer.</p>}
    </Frame>
  );
}

function Chooser({ names, index, onIndex }: { names: string[]; index: number; onIndex: (index: number) => void }) {
  return (
    <label className="pic-field">
      The answer has {names.length} summaries
      <select value={Math.min(index, names.length - 1)} onChange={(event) => onIndex(Number(event.target.value))}>
        {names.map((name, i) => <option key={i} value={i}>{name}</option>)}
      </select>
    </label>
  );
}

function Origin({ given, onAgain }: { given: boolean; onAgain?: () => void }) {
  return (
    <p className="pic-quiet summary-origin">
      {given ? 'Drawn from the latest answer. What its document did not ask for is left out.' : 'Asked for by this pane.'}{' '}
      {onAgain && <button type="button" onClick={onAgain}>{given ? 'Ask for all of it' : 'Ask again'}</button>}
    </p>
  );
}
