import { formatMoney, percent, place, type Money } from '../money';
import { isPast } from '../time';
import { providerName, sentence } from '../words';
import type { Score } from './model';
import { Moment } from './SummaryPage';

/** bands are the graph's classes of scores, by where they begin on the scale, in thousandths. */
export const bands = [
  { band: 'VERY_POOR', from: 0, to: 350 }, { band: 'POOR', from: 350, to: 500 }, { band: 'FAIR', from: 500, to: 650 },
  { band: 'GOOD', from: 650, to: 800 }, { band: 'EXCELLENT', from: 800, to: 1000 },
];

/** Scores are the scores of several providers, each on its own scale. */
export function Scores({ scores, bestId, now }: { scores: Score[]; bestId?: string; now: number }) {
  return (
    <ul className="summary-scores">
      {scores.map((score, i) => <li key={score.id ?? i}><ScoreCard score={score} best={score.id !== undefined && score.id === bestId} now={now} /></li>)}
    </ul>
  );
}

function ScoreCard({ score, best, now }: { score: Score; best: boolean; now: number }) {
  const expired = isPast(score.validUntil, now);
  return (
    <div className="summary-score" data-expired={expired}>
      <p className="summary-score-head">
        <strong>{providerName(score.provider)}</strong>
        {best && <span className="pic-chip" data-tone="plain">Best</span>}
        {score.band && <span className="pic-chip" data-band={score.band}>{sentence(score.band)}{score.band === 'UNKNOWN' && score.providerBand ? `: ${score.providerBand}` : ''}</span>}
        {expired && <span className="pic-chip" data-tone="wait">Expired</span>}
      </p>
      {score.value !== undefined && <p className="summary-value">{score.value}</p>}
      <Scale score={score} />
      <Figures score={score} now={now} expired={expired} />
      <Factors factors={score.factors ?? []} />
    </div>
  );
}

/** Scale is a score between the ends of its scale, over the classes. */
function Scale({ score }: { score: Score }) {
  const { value, scale } = score;
  if (value === undefined || scale === undefined) return null;
  if (!scale) return <p className="pic-quiet">The provider’s scale is not known.</p>;
  const at = place(value, scale.min, scale.max);
  return (
    <div className="summary-scale">
      <svg role="img" aria-label={`${value} on a scale from ${scale.min} to ${scale.max}`} width="100%" height="22">
        {bands.map(({ band, from, to }) => (
          <rect key={band} data-band={band} x={`${from / 10}%`} width={`${(to - from) / 10 - 0.4}%`} y="8" height="8"><title>{sentence(band)}</title></rect>
        ))}
        {at !== undefined && <g className="summary-mark"><rect x={`${at / 10}%`} y="2" width="4" height="20" rx="2" transform="translate(-2)" /></g>}
      </svg>
      <p className="summary-ends pic-quiet"><span>{scale.min}</span>{scale.assumed && <span>scale assumed</span>}<span>{scale.max}</span></p>
      {at === undefined && <p className="pic-quiet">The score lies outside its scale.</p>}
    </div>
  );
}

function Figures({ score, now, expired }: { score: Score; now: number; expired: boolean }) {
  const { riskCategory, providerRisk, recommendedLimit: limit, recommendedTenureDays: days } = score;
  const risk = riskCategory === 'UNKNOWN' && providerRisk ? providerRisk : riskCategory && sentence(riskCategory);
  return (
    <dl className="pic-figures">
      {score.normalized && <div><dt>On its scale</dt><dd>{percent(score.normalized)}</dd></div>}
      {risk && <div><dt>Risk</dt><dd>{risk}</dd></div>}
      {score.probabilityOfDefault && <div><dt>Probability of default</dt><dd>{percent(score.probabilityOfDefault)}</dd></div>}
      {isMoney(limit) && <div><dt>Would lend</dt><dd>{formatMoney(limit)}{days ? ` for ${days} days` : ''}</dd></div>}
      {score.scoredAt && <div><dt>Scored</dt><dd><Moment iso={score.scoredAt} now={now} /></dd></div>}
      {score.validUntil && <div><dt>{expired ? 'Expired' : 'Valid until'}</dt><dd><Moment iso={score.validUntil} now={now} /></dd></div>}
    </dl>
  );
}

function isMoney(money: Partial<Money> | null | undefined): money is Money {
  return money?.amount !== undefined && money.currency !== undefined;
}

const signs: Record<string, string> = { POSITIVE: '▲', NEGATIVE: '▼', NEUTRAL: '●' };

function Factors({ factors }: { factors: NonNullable<Score['factors']> }) {
  if (factors.length === 0) return null;
  return (
    <ul className="summary-factors" aria-label="What made the score">
      {factors.map(({ factor, impact, description }, i) => (
        <li key={i} data-impact={impact ?? 'UNKNOWN'}>
          <span className="summary-sign" role="img" aria-label={impact ? sentence(impact) : 'Unknown'}>{signs[impact ?? ''] ?? '?'}</span>
          {description ?? (factor ? sentence(factor) : 'A factor without a name')}
        </li>
      ))}
    </ul>
  );
}
