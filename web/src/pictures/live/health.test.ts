import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeSession, settled } from '../testing/session';
import { merge, newsOf, watchHealth, type Health } from './health';

const health = (provider: string, status = 'UP') => ({ provider, name: provider, status }) as Health;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('news takes the place of what was known', () => {
  const known = [health('A'), health('B')];
  expect(merge(known, [health('B', 'DOWN'), health('C')])).toEqual([health('A'), health('B', 'DOWN'), health('C')]);
});

test('news is read in whatever shape it comes', () => {
  expect(newsOf(health('A'))).toEqual([health('A')]);
  expect(newsOf({ provider: health('A') })).toEqual([health('A')]);
  expect(newsOf([health('A'), { provider: health('B') }])).toEqual([health('A'), health('B')]);
  expect(newsOf(null)).toEqual([]);
});

function listener() {
  const heard: string[] = [];
  return {
    heard,
    onHealth: (news: Health[]) => void heard.push(news.map((each) => each.status).join()),
    onProblem: (problem: string) => void heard.push(problem),
  };
}

test('without a stream it asks each 5 seconds while somebody looks', async () => {
  let [status, looking] = ['UP', true];
  const session = fakeSession(() => ({ data: { providers: [health('A', status)] } }));
  const l = listener();
  const end = watchHealth(session, 'asked', l, () => looking);
  await vi.advanceTimersByTimeAsync(0);
  status = 'DOWN';
  await vi.advanceTimersByTimeAsync(5000);
  expect(l.heard).toEqual(['UP', 'DOWN']);
  looking = false;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(l.heard).toHaveLength(2);
  looking = true;
  await vi.advanceTimersByTimeAsync(5000);
  expect(l.heard).toHaveLength(3);
  end();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(l.heard).toHaveLength(3);
  expect(session.streams).toEqual([]);
});

test('it says why it cannot tell', async () => {
  const l = listener();
  const ends = [
    watchHealth(fakeSession(() => ({ data: null, errors: [{ message: 'Not now.' }] })), 'asked', l, () => true),
    watchHealth(fakeSession(() => { throw new Error('away'); }), 'asked', l, () => true),
  ];
  await vi.advanceTimersByTimeAsync(0);
  ends.forEach((end) => end());
  expect(l.heard.sort()).toEqual(['Not now.', 'away']);
});

test('an answer that comes too late is not heard', async () => {
  const l = listener();
  watchHealth(fakeSession(() => ({ data: { providers: [health('A')] } })), 'asked', l, () => true)();
  watchHealth(fakeSession(() => { throw new Error('away'); }), 'asked', l, () => true)();
  await vi.advanceTimersByTimeAsync(0);
  expect(l.heard).toEqual([]);
});

test('with a stream it follows, asks for what a cut may have hidden, and asks again and again once that ends', async () => {
  const session = fakeSession(() => ({ data: { providers: [health('A')] } }));
  const l = listener();
  const end = watchHealth(session, 'inside', l);
  await settled();
  const [stream] = session.streams;
  expect(stream.document).toContain('providerHealth { provider {');
  stream.next({ providerHealth: { provider: health('A', 'DEGRADED') } });
  expect(l.heard).toEqual(['UP', 'DEGRADED']);
  stream.state('retrying');
  await settled();
  expect(l.heard).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(l.heard).toHaveLength(3); // while the stream lives nobody asks
  stream.state('closed', 'over');
  await vi.advanceTimersByTimeAsync(5000);
  expect(l.heard).toHaveLength(4);
  end();
  expect(stream.ended).toBe(true);
  const asked = session.asked.length;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(session.asked).toHaveLength(asked);
});
