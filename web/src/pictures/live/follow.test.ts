import { describe, expect, test } from 'vitest';
import type { Answer } from '../../session';
import { fakeSession, settled } from '../testing/session';
import { lastDocument, probeDocument } from './documents';
import { Follower, type FollowState, type LiveEvent, type Wait } from './follow';

function event(id: string): LiveEvent {
  return { id, type: 'LOAN_CREATED', occurredAt: '2026-05-01T12:00:00Z', receivedAt: '2026-05-01T12:00:00Z' };
}

function page(...ids: string[]): Answer<unknown> {
  return { data: { events: { edges: ids.map((id) => ({ cursor: `at-${id}`, node: event(id) })) } } };
}

function refusal(code: string): Answer<unknown> {
  return { data: null, errors: [{ message: `refused: ${code}`, extensions: { code } }] };
}

/** setup follows a log of which answer tells, and keeps what is learnt of it. Pauses end when tick is called. */
async function setup(answer: (document: string) => Answer<unknown>, filter = { providers: [] as string[], types: [] as string[] }) {
  const session = fakeSession((document) => answer(document));
  const came: string[] = [];
  const states: [FollowState, string | undefined][] = [];
  const pauses: { ms: number; then: () => void }[] = [];
  let gaps = 0;
  const wait: Wait = (ms, then) => {
    const pause = { ms, then };
    pauses.push(pause);
    return () => void pauses.splice(pauses.indexOf(pause), 1);
  };
  const follower = new Follower(session, filter, {
    onEvents: (events, before) => came.push(...events.map((each) => (before ? `(${each.id})` : each.id))),
    onState: (state, reason) => states.push([state, reason]),
    onGap: () => gaps++,
  }, wait);
  follower.start();
  await settled();
  return {
    session, follower, came, states, pauses, gaps: () => gaps,
    stream: () => session.streams.at(-1)!,
    tick: async () => {
      const { ms, then } = pauses.shift()!;
      then();
      await settled();
      return ms;
    },
  };
}

const bring = (id: string) => ({ events: { cursor: `at-${id}`, event: event(id) } });

describe('Follower', () => {
  test('begins behind the latest events', async () => {
    const f = await setup(() => page('1', '2'));
    expect(f.came).toEqual(['(1)', '(2)']);
    expect(f.stream().variables).toEqual({ filter: {}, after: 'at-2' });
    f.stream().state('live');
    f.stream().next(bring('3'));
    expect(f.came).toEqual(['(1)', '(2)', '3']);
    expect(f.states.at(-1)).toEqual(['live', undefined]);
  });

  test('asks for what the filter names', async () => {
    const f = await setup(() => page('1'), { providers: ['CARBON'], types: [] });
    expect(f.session.asked[0]).toEqual({ document: lastDocument, variables: { filter: { providers: ['CARBON'] }, last: 30 } });
    expect(f.stream().variables.filter).toEqual({ providers: ['CARBON'] });
  });

  test.each(['retrying', 'closed'] as const)('goes on behind the last event after the connection was cut (%s)', async (state) => {
    const f = await setup(() => page('1'));
    const first = f.stream();
    first.next(bring('2'));
    first.state(state, 'cut');
    expect(first.ended).toBe(true);
    expect(f.states.at(-1)).toEqual(['retrying', 'cut']);
    first.next(bring('2')); // from the connection that was left
    first.state('live');
    await f.tick();
    expect(f.session.streams).toHaveLength(2);
    expect(f.stream().variables.after).toBe('at-2');
    f.stream().next(bring('3'));
    expect(f.came).toEqual(['(1)', '2', '3']);
    expect(f.states.at(-1)?.[0]).toBe('retrying'); // what the old connection says counts no more
  });

  test('begins again at an empty log that is no longer empty', async () => {
    const answers = [page(), page('1')];
    const f = await setup(() => answers.shift() ?? page('1'));
    expect(f.stream().variables.after).toBeNull();
    f.stream().state('retrying');
    await f.tick();
    expect(f.came).toEqual(['(1)']);
    expect(f.stream().variables.after).toBe('at-1');
  });

  test('says so where the log no longer reaches back, and goes on from its end', async () => {
    let last = '1';
    const f = await setup((document) => (document === probeDocument ? refusal('CURSOR_EXPIRED') : page(last)));
    f.stream().state('closed', 'gone');
    last = '9';
    await f.tick();
    expect(f.gaps()).toBe(1);
    expect(f.stream().variables.after).toBe('at-9');
    expect(f.came).toEqual(['(1)']); // 9 is not passed off as what came next
  });

  test.each(['FORBIDDEN', 'UNAUTHENTICATED'])('ends where it may not follow: %s', async (code) => {
    const f = await setup(() => refusal(code));
    expect(f.states.at(-1)).toEqual(['denied', `refused: ${code}`]);
    expect(f.pauses).toEqual([]);
    expect(f.session.streams).toEqual([]);
  });

  test('pauses for longer each time that it fails, and not for ever', async () => {
    const f = await setup(() => { throw new Error('away'); });
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) pauses.push(await f.tick());
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);
    expect(f.states.at(-1)).toEqual(['retrying', 'away']);
  });

  test('is quick again after something came', async () => {
    const f = await setup(() => page('1'));
    for (const want of [1000, 2000]) {
      f.stream().state('retrying');
      expect(await f.tick()).toBe(want);
    }
    f.stream().next(bring('2'));
    f.stream().state('retrying');
    expect(await f.tick()).toBe(1000);
  });

  test('is silent once it was stopped', async () => {
    const f = await setup(() => page('1'));
    const stream = f.stream();
    f.follower.stop();
    expect(stream.ended).toBe(true);
    stream.next(bring('2'));
    stream.state('retrying');
    expect(f.came).toEqual(['(1)']);
    expect(f.pauses).toEqual([]);
  });

  test('does not begin after it was stopped', async () => {
    const session = fakeSession(() => page('1'));
    const follower = new Follower(session, { providers: [], types: [] }, { onEvents: () => {}, onState: () => {}, onGap: () => {} });
    follower.start();
    follower.stop();
    await settled();
    expect(session.streams).toEqual([]);
  });
});
