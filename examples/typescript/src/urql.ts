// The graph by urql: queries by their hash over GET, mutations by POST, subscriptions over a websocket.
import { Client, fetchExchange, subscriptionExchange, type CombinedError, type TypedDocumentNode } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { onEnd, pipe, subscribe } from 'wonka';
import { problem, type Answer, type Ending, type Graph } from './graph.js';
import { address, authorizedFetch } from './settings.js';
import { socket } from './socket.js';

// urql aborts each request once it has its answer, and some versions of Node take that for a failure of the request.
// Nothing here is cancelled halfway, so that requests can do without the signal.
const uncancelled: typeof fetch = (input, init) => authorizedFetch(input, { ...init, signal: null });

export function urql(): Graph {
  const ws = socket();
  const client = new Client({
    url: address,
    fetch: uncancelled,
    preferGetMethod: false,
    exchanges: [
      persistedExchange({ preferGetForPersistedQueries: true }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: ws.subscribe({ query, variables: variables as Record<string, unknown> }, sink as Parameters<typeof ws.subscribe>[1]),
          }),
        }),
      }),
    ],
  });
  return {
    query: async <Data>(document: TypedDocumentNode<Data>, variables: Record<string, unknown>) =>
      answer<Data>(await client.query(document, variables, { requestPolicy: 'network-only' }).toPromise()),
    mutate: async <Data>(document: TypedDocumentNode<Data>, variables: Record<string, unknown>) =>
      answer<Data>(await client.mutation(document, variables).toPromise()),
    follow: <Data>(document: TypedDocumentNode<Data>, variables: Record<string, unknown>, next: (data: Data) => 'more' | 'enough') =>
      new Promise((resolve) => {
        const { unsubscribe } = pipe(
          client.subscription(document, variables),
          onEnd(() => resolve({ completed: true })),
          subscribe(({ data, error }) => {
            if (error) resolve(ending(error));
            else if (data && next(data) === 'enough') resolve({ completed: true });
            else return;
            queueMicrotask(() => unsubscribe());
          }),
        );
      }),
  };
}

function answer<Data>({ data, error }: { data?: Data | undefined; error?: CombinedError | undefined }): Answer<Data> {
  if (error?.networkError) throw error.networkError;
  return { data, problems: error?.graphQLErrors.map(problem) ?? [] };
}

const ending = (error: CombinedError): Ending =>
  error.networkError ? { cut: error.networkError.message ?? 'the connection ended' } : { problems: error.graphQLErrors.map(problem) };
