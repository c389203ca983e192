import { useEffect, useState } from 'react';
import type { Session } from '../../session';
import { exact, milliseconds, relative, shortDuration } from '../time';
import { useNow } from '../usenow';
import { sentence } from '../words';
import { merge, watchHealth, type Health } from './health';
import type { Kinds } from './kinds';

/** ProviderHealth is a card for each provider. */
export function ProviderHealth({ session, mode }: { session: Session; mode: Kinds['health'] }) {
  const [health, setHealth] = useState<Health[]>([]);
  const [problem, setProblem] = useState<string>();
  const now = useNow(5000);
  useEffect(() => {
    setHealth([]);
    return watchHealth(session, mode, {
      onHealth: (news) => {
        setHealth((known) => merge(known, news));
        setProblem(undefined);
      },
      onProblem: setProblem,
    });
  }, [session, mode]);
  return (
    <>
      {problem && <p className="pic-problem" role="status">The providers’ health cannot be told: {problem}</p>}
      <ul className="live-providers">{health.map((each) => <li key={each.provider}><ProviderCard health={each} now={now} /></li>)}</ul>
    </>
  );
}

const tones: Record<string, string> = { UP: 'good', DEGRADED: 'wait', DOWN: 'bad' };

function ProviderCard({ health, now }: { health: Health; now: number }) {
  const { name, status, circuit, latency, errorRate, rateLimit, lastError, checkedAt, lastWebhookAt, problem } = health;
  return (
    <>
      <p className="live-provider-head">
        <strong><i className="live-dot" data-provider={health.provider} />{name}</strong>
        <span className="pic-chip" data-tone={tones[status] ?? 'plain'}>{sentence(status)}</span>
        {(circuit === 'OPEN' || circuit === 'HALF_OPEN') && <span className="pic-chip" data-tone="bad">Circuit {sentence(circuit).toLowerCase()}</span>}
      </p>
      <dl className="pic-figures">
        <div><dt>Median</dt><dd>{lasting(latency?.p50)}</dd></div>
        <div><dt>99 of 100</dt><dd>{lasting(latency?.p99)}</dd></div>
        <div><dt>Failed</dt><dd>{errorRate === null ? '–' : rate(errorRate)}</dd></div>
        {rateLimit && <div><dt>Calls left</dt><dd>{left(rateLimit)}</dd></div>}
      </dl>
      {problem && <p className="pic-problem" title={exact(problem.since)}>{problem.message} (since {relative(problem.since, now)})</p>}
      {lastError && lastError.message !== problem?.message && <p className={status === 'UP' ? 'pic-quiet' : 'pic-problem'}>Latest failure: {lastError.message}</p>}
      {checkedAt && <p className="pic-quiet" title={exact(checkedAt)}>called {relative(checkedAt, now)}</p>}
      {lastWebhookAt && <p className="pic-quiet" title={exact(lastWebhookAt)}>last webhook {relative(lastWebhookAt, now)}</p>}
    </>
  );
}

function lasting(text: string | null | undefined): string {
  const ms = milliseconds(text);
  return ms === undefined ? '–' : shortDuration(ms);
}

function rate(part: number): string {
  return new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 }).format(part);
}

function left({ remaining, limit }: NonNullable<Health['rateLimit']>): string {
  const count = new Intl.NumberFormat('en', { notation: 'compact' });
  return [remaining, limit].map((each) => (each === null ? '–' : count.format(each))).join(' of ');
}
