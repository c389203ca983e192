// What the editor sends operations with.
import type { Fetcher } from '@graphiql/toolkit';
import { Kind, type OperationDefinitionNode, OperationTypeNode, parse } from 'graphql';
import { type Answer, type GraphError, reasonOf, type StreamState, type Wire } from './session';
import { emptied } from './uploads';

/** Listener learns what comes of operations. */
export interface Listener {
  onAnswer(answer: Answer<unknown>): void;
  onStream(state: StreamState | null, reason?: string): void;
  /** files are those chosen for the operation, by the place where each belongs. */
  files(): ReadonlyMap<string, File>;
  /** drawn is done when the page shows that an operation runs. The editor's history misses what is over before. */
  drawn(): Promise<void>;
}

/** drawnSoon waits for the next picture and what follows it, or for a moment where nobody looks and none is drawn. */
export function drawnSoon(): Promise<void> {
  return new Promise((done) => {
    const moment = setTimeout(done, 100);
    requestAnimationFrame(() => setTimeout(() => {
      clearTimeout(moment);
      done();
    }));
  });
}

/** makeFetcher sends queries and mutations by POST, and subscriptions over a websocket. */
export function makeFetcher(session: Wire, listener: Listener): Fetcher {
  return (sent, options) => {
    const meant = operationMeant(sent.query, sent.operationName);
    const operation = { query: sent.query, operationName: meant?.name?.value, variables: (sent.variables ?? {}) as object };
    if (meant?.operation === OperationTypeNode.SUBSCRIPTION) {
      return {
        subscribe: (sink: Parameters<Subscribe>[0]) => ({ unsubscribe: follow(session, listener, operation, sink) }),
      } as ReturnType<Fetcher>;
    }
    listener.onStream(null);
    const files = listener.files();
    const headers = options?.headers as Record<string, string> | undefined;
    return listener.drawn()
      .then(() => session.send({ ...operation, variables: emptied(operation.variables, files.keys()) }, headers, files))
      .then((answer) => {
        listener.onAnswer(answer);
        return answer as never;
      });
  };
}

type Subscribe = (sink: { next(answer: Answer<unknown>): void; error(reason: unknown): void; complete(): void }) => unknown;

/** follow runs a subscription. Errors of the graph are shown as the graph sends them. */
function follow(session: Wire, listener: Listener, operation: { query: string }, sink: Parameters<Subscribe>[0]): () => void {
  const end = session.stream(
    operation,
    {
      next: (answer) => {
        listener.onAnswer(answer);
        sink.next(answer);
      },
      error: (reason) => {
        if (!Array.isArray(reason)) {
          sink.error(new Error(reasonOf(reason)));
          return;
        }
        const answer = { errors: reason as GraphError[] };
        listener.onAnswer(answer);
        sink.next(answer);
        sink.complete();
      },
      complete: () => sink.complete(),
    },
    listener.onStream,
  );
  return () => {
    end();
    listener.onStream('closed');
  };
}

/**
 * operationMeant is the operation that somebody wants to run; undefined where the document cannot be read, which the
 * graph then says. The editor finds out only after a while that it holds another document, so its word on the name
 * counts only where there is such an operation.
 */
export function operationMeant(query: string, name?: string | null): OperationDefinitionNode | undefined {
  try {
    const operations = parse(query).definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
    return operations.find((operation) => name && operation.name?.value === name) ?? operations[0];
  } catch {
    return undefined;
  }
}
