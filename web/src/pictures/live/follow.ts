// Follows events so that none is missed and none comes twice, whatever happens to the connection.
import type { Answer, Session } from '../../session';
import { followDocument, lastDocument, probeDocument } from './documents';

/** LiveEvent is an event as the pane asks for it. */
export interface LiveEvent {
  id: string;
  type: string;
  providerType?: string | null;
  provider?: string | null;
  source?: string | null;
  occurredAt: string;
  receivedAt: string;
  customer?: { id: string; fullName: string } | null;
  loan?: { id: string; status: string; providerStatus?: string | null } | null;
  payment?: { id: string; amount: { amount: string; currency: string } } | null;
  creditReport?: { id: string; status: string } | null;
  creditScore?: { id: string; value: string } | null;
}

/** Filter says which events; an empty list is all. */
export interface Filter {
  providers: string[];
  types: string[];
}

/** FollowState is how following is doing. With "denied" it has ended; all others go on. */
export type FollowState = 'connecting' | 'live' | 'retrying' | 'denied';

/** Listener learns what comes. */
export interface Listener {
  /** events are in the order of the log; before is true for those that happened before following began. */
  onEvents(events: LiveEvent[], before: boolean): void;
  onState(state: FollowState, reason?: string): void;
  /** onGap says that events behind the last cursor are no longer kept, so that some may be missing. */
  onGap(): void;
}

/** Wait calls back after a while, unless the function that it returns was called. */
export type Wait = (ms: number, then: () => void) => () => void;

const later: Wait = (ms, then) => {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
};

const history = 30; // events from before, to begin with
const longest = 15_000; // milliseconds between two attempts

interface Enveloped { events: { cursor: string; event: LiveEvent } }
interface Last { events: { edges: { cursor: string; node: LiveEvent }[] } | null }

/** Follower follows events of one filter, from start until stop. */
export class Follower {
  private cursor?: string;
  private attempts = 0;
  private stopped = false;
  private cancel: () => void = () => {};

  constructor(
    private readonly session: Session,
    private readonly filter: Filter,
    private readonly listener: Listener,
    private readonly wait: Wait = later,
  ) {}

  /** start fetches what happened before and follows what comes. Events between the two are not lost. */
  start() {
    this.listener.onState('connecting');
    void this.begin(true);
  }

  /** stop ends it. Nothing is heard of it afterwards. */
  stop() {
    this.stopped = true;
    this.cancel();
  }

  private variables() {
    const { providers, types } = this.filter;
    return { ...(providers.length > 0 && { providers }), ...(types.length > 0 && { types }) };
  }

  /** begin sets the cursor to the end of the log. */
  private async begin(show: boolean) {
    const answer = await this.ask<Last>(lastDocument, { filter: this.variables(), last: history });
    if (this.stopped) return;
    const edges = answer.data?.events?.edges;
    if (!edges) return this.failed(answer, () => void this.begin(show));
    if (show) this.listener.onEvents(edges.map((edge) => edge.node), true);
    this.cursor = edges.at(-1)?.cursor;
    this.follow();
  }

  /** follow subscribes behind the cursor. Of one subscription nothing counts once the next one has begun. */
  private follow() {
    let over = false;
    let end: (() => void) | undefined;
    const leave = () => {
      over = true;
      end?.();
    };
    end = this.session.subscribe<Enveloped>(
      followDocument,
      { filter: this.variables(), after: this.cursor ?? null },
      (value) => over || this.take(value),
      (state, reason) => {
        if (over || state === 'connecting') return;
        if (state === 'live') return this.listener.onState('live', reason);
        leave(); // the session would go on from the cursor of the beginning
        this.lost(reason);
      },
    );
    if (over) end(); // it ended while it began
    else this.cancel = leave;
  }

  private take({ events: { cursor, event } }: Enveloped) {
    this.cursor = cursor;
    this.attempts = 0;
    this.listener.onEvents([event], false);
  }

  private lost(reason?: string) {
    this.listener.onState('retrying', reason);
    this.again(() => void this.resume());
  }

  /** resume finds out whether the cursor is still good before it follows again. */
  private async resume() {
    if (this.cursor === undefined) return this.begin(true); // the log was empty; by now it may not be
    const answer = await this.ask<Last>(probeDocument, { filter: this.variables(), after: this.cursor ?? null });
    if (this.stopped) return;
    if (answer.data?.events) return this.follow();
    if (codesOf(answer).includes('CURSOR_EXPIRED')) {
      this.listener.onGap();
      return void this.begin(false);
    }
    this.failed(answer, () => void this.resume());
  }

  private failed(answer: Answer<unknown>, retry: () => void) {
    const reason = answer.errors?.map((error) => error.message).join(' ');
    if (codesOf(answer).some((code) => code === 'FORBIDDEN' || code === 'UNAUTHENTICATED')) {
      return this.listener.onState('denied', reason);
    }
    this.listener.onState('retrying', reason);
    this.again(retry);
  }

  /** again tries again after a pause that doubles with each attempt. */
  private again(retry: () => void) {
    this.cancel = this.wait(Math.min(longest, 1000 * 2 ** this.attempts++), retry);
  }

  private async ask<T>(document: string, variables: object): Promise<Answer<T>> {
    try {
      return await this.session.request<T>(document, variables);
    } catch (reason) {
      return { errors: [{ message: reason instanceof Error ? reason.message : String(reason) }] };
    }
  }
}

function codesOf(answer: Answer<unknown>): unknown[] {
  return (answer.errors ?? []).map((error) => error.extensions?.code);
}
