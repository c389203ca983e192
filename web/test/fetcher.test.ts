import { describe, expect, it } from 'vitest';
import { makeFetcher, operationMeant } from '../src/fetcher';
import type { Operation, Wire } from '../src/session';

const two = 'query A { viewer { clientId } } subscription B { events { cursor } }';

describe('operationMeant', () => {
  it.each([
    [two, 'B', 'B'],
    [two, 'A', 'A'],
    [two, 'Gone', 'A'], // the editor's name is that of the document before
    [two, null, 'A'],
    ['{ viewer { clientId } }', 'A', undefined],
    ['query {', 'A', undefined],
  ])('%s, %s', (query, name, want) => expect(operationMeant(query, name)?.name?.value).toBe(want));
});

describe('makeFetcher', () => {
  const nobody = { onAnswer: () => {}, onStream: () => {}, files: () => new Map<string, File>(), drawn: async () => {} };

  it('sends the operation that is meant', async () => {
    let sent: Operation | undefined;
    const session = { send: async (operation: Operation) => ((sent = operation), {}) } as unknown as Wire;
    await makeFetcher(session, nobody)({ query: two, operationName: 'Gone', variables: { id: 1 } });
    expect(sent).toEqual({ query: two, operationName: 'A', variables: { id: 1 } });
  });

  it('sends nothing before the page shows that it runs', async () => {
    let drawn = () => {};
    const events: string[] = [];
    const session = { send: async () => (events.push('sent'), {}) } as unknown as Wire;
    const answer = makeFetcher(session, { ...nobody, drawn: () => new Promise((done) => (drawn = done)) })({ query: '{ viewer { clientId } }' });
    await Promise.resolve();
    events.push('drawn');
    drawn();
    await answer;
    expect(events).toEqual(['drawn', 'sent']);
  });

  it('follows subscriptions, and shows the errors of the graph as answers', () => {
    const got: unknown[] = [];
    const session = {
      stream: (_: Operation, sink: { error(reason: unknown): void }) => {
        sink.error([{ message: 'no' }]);
        sink.error({ code: 4403, reason: 'Forbidden' });
        return () => got.push('ended');
      },
    } as unknown as Wire;
    const followed = makeFetcher(session, nobody)({ query: two, operationName: 'B' }) as unknown as {
      subscribe(sink: object): { unsubscribe(): void };
    };
    followed.subscribe({ next: (answer: unknown) => got.push(answer), error: (error: Error) => got.push(error.message), complete: () => got.push('done') }).unsubscribe();
    expect(got).toEqual([{ errors: [{ message: 'no' }] }, 'done', 'Forbidden', 'ended']);
  });
});
