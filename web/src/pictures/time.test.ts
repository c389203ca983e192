import { expect, test } from 'vitest';
import { clock, exact, isPast, milliseconds, relative, shortDuration } from './time';

const now = Date.parse('2026-05-01T12:00:00Z');

test.each([
  ['2026-05-01T11:59:59.500Z', 'now'],
  ['2026-05-01T12:00:20Z', 'now'], // by a clock that is ahead
  ['2026-05-01T12:00:40Z', 'in 40 seconds'],
  ['2026-05-01T11:57:00Z', '3 minutes ago'],
  ['2026-05-01T09:00:00Z', '3 hours ago'],
  ['2026-04-30T11:00:00Z', 'yesterday'],
  ['2026-05-08T12:00:00Z', 'in 7 days'],
  ['soon', 'soon'],
])('relative of %s', (iso, want) => expect(relative(iso, now)).toBe(want));

test('exact is in full and in UTC', () => {
  expect(exact('2026-05-01T14:03:09.123+02:00')).toBe('2026-05-01 12:03:09 UTC');
  expect(exact('soon')).toBe('soon');
  expect(clock(now)).toBe('12:00:00');
});

test('what has no end is never past', () => {
  expect(isPast('2026-05-01T12:00:00Z', now)).toBe(true);
  expect(isPast('2026-05-01T12:00:01Z', now)).toBe(false);
  expect(isPast(null, now)).toBe(false);
});

test.each([
  ['PT0.0015S', 1.5], ['PT2S', 2000], ['PT1M30S', 90_000], ['P1DT1H', 90_000_000], ['', undefined], ['P', undefined], [null, undefined],
])('milliseconds of %s', (text, want) => expect(milliseconds(text)).toBe(want));

test.each([[0.92, '0.92 ms'], [1.107753, '1.1 ms'], [340.4, '340 ms'], [2400, '2.4 s']])('shortDuration of %d', (ms, want) => {
  expect(shortDuration(ms).replace('\u00a0', ' ')).toBe(want);
});
