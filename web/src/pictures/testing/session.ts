// A session for tests, which answers as it is told to.
import type { Answer, Session, StreamState } from '../../session';

/** Stream is a subscription that a test feeds. */
export interface Stream {
  document: string;
  variables: { after?: string | null; filter?: unknown };
  next: (value: unknown) => void;
  state: (state: StreamState, reason?: string) => void;
  ended: boolean;
}

/** FakeSession keeps what it was asked. */
export interface FakeSession extends Session {
  asked: { document: string; variables?: object }[];
  streams: Stream[];
}

/** fakeSession answers requests by answer, in which an error that is thrown stands for a network that is away. */
export function fakeSession(answer: (document: string, variables?: object) => Answer<unknown>): FakeSession {
  const session: FakeSession = {
    role: 'analyst', scopes: ['read:events'], asked: [], streams: [],
    request: async <T>(document: string, variables?: object) => {
      session.asked.push({ document, variables });
      return answer(document, variables) as Answer<T>;
    },
    subscribe: (document, variables, onNext, onState) => {
      const stream: Stream = { document, variables: (variables ?? {}) as Stream['variables'], next: onNext as Stream['next'], state: onState, ended: false };
      session.streams.push(stream);
      return () => {
        stream.ended = true;
      };
    },
  };
  return session;
}

/** settled lets everything that waits for an answer go on. */
export async function settled() {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
