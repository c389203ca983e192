import { formatMoney, isZero, permille, type Money } from '../money';
import { providerName, sentence } from '../words';
import type { CreditLine, Exposure } from './model';

/** Exposures are what is owed, one entry for each currency. They are never added up. */
export function Exposures({ exposures }: { exposures: Exposure[] }) {
  return (
    <ul className="summary-cards">
      {exposures.map((exposure) => <li key={exposure.currency}><ExposureCard exposure={exposure} /></li>)}
    </ul>
  );
}

function ExposureCard({ exposure: { currency, activeLoanCount: count, outstanding, overdue } }: { exposure: Exposure }) {
  const late = overdue !== undefined && !isZero(overdue.amount);
  return (
    <div>
      <p className="summary-card-head"><strong>{currency}</strong>{count !== undefined && <span className="pic-quiet">{count} active {count === 1 ? 'loan' : 'loans'}</span>}</p>
      {outstanding && <p className="summary-sum">{formatMoney(outstanding)}</p>}
      {outstanding && overdue && <Bar part={overdue} whole={outstanding} tone={late ? 'bad' : 'good'} label={`${formatMoney(overdue)} overdue of ${formatMoney(outstanding)} outstanding`} />}
      {overdue && <p className={late ? 'summary-late' : 'pic-quiet'}>{late ? `${formatMoney(overdue)} overdue` : 'Nothing overdue'}</p>}
    </div>
  );
}

/** CreditLines are what providers let the customer draw on. */
export function CreditLines({ lines }: { lines: CreditLine[] }) {
  return <ul className="summary-cards">{lines.map((line, i) => <li key={i}><LineCard line={line} /></li>)}</ul>;
}

function LineCard({ line }: { line: CreditLine }) {
  const { limit, available, outstanding } = line;
  return (
    <div>
      <p className="summary-card-head">
        <strong>{providerName(line.provider)}</strong>
        {line.state && <span className="pic-chip" data-tone={line.state === 'ACTIVE' ? 'good' : 'wait'}>{line.state === 'UNKNOWN' && line.providerState ? line.providerState : sentence(line.state)}</span>}
      </p>
      {limit && outstanding && <Bar part={outstanding} whole={limit} tone="plain" label={`${formatMoney(outstanding)} drawn of ${formatMoney(limit)}`} />}
      <dl className="pic-figures">
        <Figure name="Limit" money={limit} />
        <Figure name="Available" money={available} />
        <Figure name="Drawn" money={outstanding} />
      </dl>
    </div>
  );
}

/** Figure is an amount with its name; one that is not there is left out. */
export function Figure({ name, money }: { name: string; money?: Money }) {
  return money ? <div><dt>{name}</dt><dd>{formatMoney(money)}</dd></div> : null;
}

/** Bar fills as much of itself as part is of whole. */
function Bar({ part, whole, tone, label }: { part: Money; whole: Money; tone: string; label: string }) {
  const share = part.currency === whole.currency ? permille(part.amount, whole.amount) : undefined;
  if (share === undefined) return null;
  return (
    <svg className="summary-bar" role="img" aria-label={label} width="100%" height="10">
      <rect className="summary-bar-whole" width="100%" height="10" rx="3" />
      <rect className="summary-bar-part" data-tone={tone} width={`${share / 10}%`} height="10" rx="3" />
    </svg>
  );
}
