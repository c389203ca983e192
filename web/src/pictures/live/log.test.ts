import { expect, test } from 'vitest';
import type { LiveEvent } from './follow';
import { countsOf, emptyLog, keep, nextLog, providersOf, subjectOf, type Step } from './log';

function event(id: string, more: Partial<LiveEvent> = {}): LiveEvent {
  return { id, type: 'LOAN_CREATED', occurredAt: '2026-05-01T12:00:00Z', receivedAt: '2026-05-01T12:00:00Z', ...more };
}

const came = (...ids: string[]): Step => ({ kind: 'came', events: ids.map((id) => event(id)), before: false });
const after = (...steps: Step[]) => steps.reduce(nextLog, emptyLog);
const ids = (events: LiveEvent[]) => events.map((each) => each.id);

test('the newest stand first, and none stands twice', () => {
  const log = after({ kind: 'came', events: [event('1'), event('2')], before: true }, came('2', '3'), came('4'));
  expect(ids(log.shown)).toEqual(['4', '3', '2', '1']);
  expect(log.count).toBe(2); // those from before are not counted
});

test('what comes while it is paused waits', () => {
  const paused = after(came('1'), { kind: 'pause' }, came('2'), came('2', '3'));
  expect(ids(paused.shown)).toEqual(['1']);
  expect(ids(paused.waiting)).toEqual(['3', '2']);
  const gone = nextLog(paused, { kind: 'go' });
  expect(ids(gone.shown)).toEqual(['3', '2', '1']);
  expect(gone).toMatchObject({ waiting: [], paused: false, count: 3 });
});

test('it holds so many and no more', () => {
  const many = Array.from({ length: keep + 5 }, (_, i) => String(i));
  expect(after(came(...many)).shown).toHaveLength(keep);
  expect(after({ kind: 'pause' }, came(...many)).waiting).toHaveLength(keep);
  expect(ids(after(came(...many)).shown)[0]).toBe(String(keep + 4));
});

test('clearing leaves the pause as it is', () => {
  expect(after(came('1'), { kind: 'pause' }, { kind: 'clear' })).toEqual({ ...emptyLog, paused: true });
});

test('events are counted by stretch and provider', () => {
  const at = (second: string, provider: string | null) => event(second + provider, { provider, receivedAt: `2026-05-01T12:00:${second}Z` });
  const now = Date.parse('2026-05-01T12:00:29Z');
  const bars = countsOf([at('00', 'CARBON'), at('11', 'CARBON'), at('19', 'KREDETE'), at('20', null)], now, 10_000, 2);
  expect(bars).toEqual([
    { from: Date.parse('2026-05-01T12:00:10Z'), total: 2, CARBON: 1, KREDETE: 1 },
    { from: Date.parse('2026-05-01T12:00:20Z'), total: 1, NONE: 1 },
  ]);
  expect(providersOf(bars)).toEqual(['CARBON', 'KREDETE', 'NONE']);
  expect(countsOf([], now, 10_000, 3).map((bar) => bar.total)).toEqual([0, 0, 0]);
});

test('an event says what it is about', () => {
  expect(subjectOf(event('1', { loan: { id: 'l', status: 'PARTLY_REPAID' }, creditScore: { id: 's', value: '7' } }))).toEqual(['loan partly repaid', 'score 7']);
  expect(subjectOf(event('1', { creditReport: null }))).toEqual([]);
});
