// What the editor sends operations with.
import type { Fetcher } from '@graphiql/toolkit';
import { type DocumentNode, Kind, OperationTypeNode } from 'graphql';
import { type Answer, type GraphError, reasonOf, type StreamState, type Wire } from './session';
import { emptied } from './uploads';

/** Listener learns what comes of operations. */
export interface Listener {
  onAnswer(answer: Answer<unknown>): void;
  onStream(state: StreamState | null, reason?: string): void;
  /** files are those chosen for the operation, by the place where each belongs. */
  files(): ReadonlyMap<string, File>;
}

/** makeFetcher sends queries and mutations by POST, and subscriptions over a websocket. */
export function makeFetcher(session: Wire, listener: Listener): Fetcher {
  return (sent, options) => {
    const operation = { query: sent.query, operationName: sent.operationName, variables: (sent.variables ?? {}) as object };
    if (isSubscription(options?.documentAST, sent.operationName)) {
      return {
        subscribe: (sink: Parameters<Subscribe>[0]) => ({ unsubscribe: follow(session, listener, operation, sink) }),
      } as ReturnType<Fetcher>;
    }
    listener.onStream(null);
    const files = listener.files();
    const headers = options?.headers as Record<string, string> | undefined;
    return session.send({ ...operation, variables: emptied(operation.variables, files.keys()) }, headers, files).then((answer) => {
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

/** isSubscription reports whether the operation that is sent is one. */
export function isSubscription(document: DocumentNode | undefined, operationName?: string | null): boolean {
  const operations = document?.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION) ?? [];
  const operation = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
  return operation?.operation === OperationTypeNode.SUBSCRIPTION;
}
