// Following the events, each of them once.
import { Failure, type Graph } from './graph.js';
import { EventsDocument, NewestEventDocument, type EventsSubscription } from './generated/graphql.js';
import { lockedOut, pause } from './settings.js';

type Event = EventsSubscription['events']['event'];

/** Where the log ends. A follower begins behind a cursor: cut before its first event, it would not know where it was. */
export async function newest(graph: Graph): Promise<string | null> {
  const { data, problems } = await graph.query(NewestEventDocument, {});
  if (!data?.events) throw new Failure(problems);
  return data.events.pageInfo.endCursor;
}

/**
 * Hands over the events behind a cursor, and comes back with the last one when the connection ends. It returns only by
 * throwing: when the service refuses, for instance because events are missing that are no longer kept (CURSOR_EXPIRED).
 */
export async function follow(graph: Graph, after: string | null, take: (event: Event) => void, tell: (text: string) => void): Promise<never> {
  for (let attempt = 0; ; attempt++) {
    const ending = await graph.follow(EventsDocument, { after }, ({ events }) => {
      take(events.event);
      after = events.cursor;
      attempt = 0;
      return 'more';
    });
    if ('problems' in ending && !ending.problems.some(({ retryable }) => retryable)) throw new Failure(ending.problems);
    if (lockedOut()) throw new Error('The token is not valid.');
    tell('cut' in ending ? `the connection ended: ${ending.cut}` : 'the subscription ended');
    await pause(attempt);
  }
}
