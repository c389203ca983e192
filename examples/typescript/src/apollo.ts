// The graph by Apollo Client: queries by their hash over GET, mutations by POST, subscriptions over a websocket.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, ServerError, type ErrorLike, type OperationVariables, type TypedDocumentNode } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { problem, type Answer, type Graph } from './graph.js';
import { address, authorizedFetch } from './settings.js';
import { socket } from './socket.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export function apollo(): Graph {
  const http = new HttpLink({ uri: address, fetch: authorizedFetch });
  const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(http);
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket()),
      // A mutation goes as it is: a hash that the service does not know would cost it a second request.
      ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.QUERY, persisted, http),
    ),
  });
  const errorPolicy = 'all'; // errors come beside the data that is there, not in its place
  return {
    query: async <Data>(query: TypedDocumentNode<Data>, variables: OperationVariables) =>
      answer<Data>(await client.query({ query, variables, errorPolicy, fetchPolicy: 'network-only' })),
    mutate: async <Data>(mutation: TypedDocumentNode<Data>, variables: OperationVariables) =>
      answer<Data>(await client.mutate({ mutation, variables, errorPolicy })),
    follow: <Data>(query: TypedDocumentNode<Data>, variables: OperationVariables, next: (data: Data) => 'more' | 'enough') =>
      new Promise((resolve) => {
        const following = client
          .subscribe({ query, variables, errorPolicy, fetchPolicy: 'no-cache' })
          .subscribe({
            next({ data, error }) {
              if (CombinedGraphQLErrors.is(error)) resolve({ problems: error.errors.map(problem) });
              else if (error) resolve({ cut: error.message });
              else if (data && next(data) === 'enough') resolve({ completed: true });
              else return;
              queueMicrotask(() => following.unsubscribe());
            },
            error: (error: ErrorLike) => resolve({ cut: error.message }),
            complete: () => resolve({ completed: true }),
          });
      }),
  };
}

function answer<Data>({ data, error }: { data?: unknown; error?: ErrorLike | undefined }): Answer<Data> {
  if (ServerError.is(error) && error.statusCode === 401) throw new Error('The token is not valid.');
  if (error && !CombinedGraphQLErrors.is(error)) throw error;
  return { data: data as Data | undefined, problems: error ? error.errors.map(problem) : [] };
}
