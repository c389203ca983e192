// The list of events that the live pane shows, and counts of them.
import type { LiveEvent } from './follow';

/** Log is a bounded list of events, newest first. While it is paused, what comes waits. */
export interface Log {
  shown: LiveEvent[];
  waiting: LiveEvent[];
  paused: boolean;
  /** count is how many came since following began; those from before are not in it. */
  count: number;
}

/** keep is how many events a log holds. */
export const keep = 200;

/** emptyLog has nothing. */
export const emptyLog: Log = { shown: [], waiting: [], paused: false, count: 0 };

/** Step is what can happen to a log. */
export type Step = { kind: 'came'; events: LiveEvent[]; before: boolean } | { kind: 'pause' } | { kind: 'go' } | { kind: 'clear' };

/** nextLog is the log after a step. An event that it has already is not taken twice. */
export function nextLog(log: Log, step: Step): Log {
  switch (step.kind) {
    case 'came': return withEvents(log, step.events, step.before);
    case 'pause': return { ...log, paused: true };
    case 'go': return { ...log, paused: false, shown: bounded([...log.waiting, ...log.shown]), waiting: [] };
    case 'clear': return { ...emptyLog, paused: log.paused };
  }
}

function withEvents(log: Log, events: LiveEvent[], before: boolean): Log {
  const known = new Set([...log.shown, ...log.waiting].map((event) => event.id));
  const fresh = events.filter((event) => !known.has(event.id)).reverse();
  if (fresh.length === 0) return log;
  const count = before ? log.count : log.count + fresh.length;
  if (log.paused) return { ...log, count, waiting: bounded([...fresh, ...log.waiting]) };
  return { ...log, count, shown: bounded([...fresh, ...log.shown]) };
}

function bounded(events: LiveEvent[]): LiveEvent[] {
  return events.slice(0, keep);
}

/** Bar is how many events came in one stretch of time, by provider. */
export interface Bar {
  from: number;
  total: number;
  [provider: string]: number;
}

/** countsOf are the last stretches of time up to now, oldest first; stretches without events are there, too. */
export function countsOf(events: LiveEvent[], now: number, stretch = 10_000, stretches = 18): Bar[] {
  const last = Math.floor(now / stretch);
  const bars = Array.from({ length: stretches }, (_, i): Bar => ({ from: (last - stretches + 1 + i) * stretch, total: 0 }));
  for (const event of events) {
    const bar = bars[Math.floor(Date.parse(event.receivedAt) / stretch) - last + stretches - 1];
    if (!bar) continue;
    const provider = event.provider ?? 'NONE';
    bar[provider] = (bar[provider] ?? 0) + 1;
    bar.total++;
  }
  return bars;
}

/** providersOf are the providers that bars count, in a fixed order. */
export function providersOf(bars: Bar[]): string[] {
  const names = new Set(bars.flatMap((bar) => Object.keys(bar)));
  names.delete('from');
  names.delete('total');
  return [...names].sort();
}

/** subjectOf is what an event is about, in a few words. */
export function subjectOf(event: LiveEvent): string[] {
  const { loan, creditReport, creditScore } = event;
  return [
    loan && `loan ${loan.status.toLowerCase().replaceAll('_', ' ')}`,
    creditReport && `report ${creditReport.status.toLowerCase().replaceAll('_', ' ')}`,
    creditScore && `score ${creditScore.value}`,
  ].filter((part) => typeof part === 'string');
}
