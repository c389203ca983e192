import type { ReactNode } from 'react';
import { exact, relative } from '../time';
import { sentence } from '../words';
import { BureauFigures } from './Bureau';
import type { Part, Summary } from './model';
import { CreditLines, Exposures } from './Owed';
import { Scores } from './Scores';
import { Sources } from './Sources';

/** SummaryPage is a customer's summary, as a page. */
export function SummaryPage({ summary, now }: { summary: Summary; now: number }) {
  const { scores, exposure, creditLines, bureau, sources } = summary;
  return (
    <article aria-labelledby="summary-name">
      <header className="summary-head">
        <h2 id="summary-name">{summary.name}</h2>
        <p>
          {summary.kycStatus && <span className="pic-chip" data-tone={tone[summary.kycStatus] ?? 'plain'}>KYC {sentence(summary.kycStatus).toLowerCase()}</span>}
          {summary.asOf && <Moment iso={summary.asOf} now={now} before="as of " />}
        </p>
      </header>
      {summary.errors.map((error) => <p key={error} className="pic-problem">{error}</p>)}
      <Section title="Scores" part={scores} none="No provider has given a score.">
        {(value) => value.length > 0 && <Scores scores={value} bestId={summary.bestId} now={now} />}
      </Section>
      <Section title="Owed" part={exposure} none="Nothing is owed.">{(value) => value.length > 0 && <Exposures exposures={value} />}</Section>
      <Section title="Credit lines" part={creditLines} none="No provider grants a line.">{(value) => value.length > 0 && <CreditLines lines={value} />}</Section>
      <Section title="Credit bureau" part={bureau} none="There is no report.">{(value) => <BureauFigures bureau={value} />}</Section>
      <Section title="Sources" part={sources} none="No provider was asked.">{(value) => value.length > 0 && <Sources sources={value} now={now} />}</Section>
    </article>
  );
}

const tone: Record<string, string> = { VERIFIED: 'good', IN_PROGRESS: 'wait', FAILED: 'bad' };

/**
 * Section draws one part. A part that was not asked for has no section; one that is missing says why, and is not taken
 * for an empty one.
 */
export function Section<T>({ title, part, none, children }: { title: string; part: Part<T>; none: string; children: (value: T) => ReactNode }) {
  if (part.state === 'unasked') return null;
  return (
    <section className="summary-section">
      <h3>{title}</h3>
      {part.state === 'there' ? children(part.value) || <p className="pic-quiet">{none}</p> : <Missing errors={part.errors} none={none} />}
    </section>
  );
}

function Missing({ errors, none }: { errors: string[]; none: string }) {
  if (errors.length === 0) return <p className="pic-quiet">{none}</p>;
  return <p className="pic-problem">Could not be had: {errors.join(' ')}</p>;
}

/** Moment is a time, how long ago it was and, for who looks closer, when exactly. */
export function Moment({ iso, now, before = '' }: { iso: string; now: number; before?: string }) {
  return <time className="pic-quiet" dateTime={iso} title={exact(iso)}>{before}{relative(iso, now)}<span className="pic-exact"> {exact(iso)}</span></time>;
}
