// What the commands need of a GraphQL client, in the words of none of them.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';

/** An error of an answer. `code` is one of the schema's ErrorCode. */
export interface Problem {
  readonly message: string;
  readonly code: string;
  readonly retryable: boolean;
  /** Of a mutation: whether something happened. */
  readonly outcome: 'NOT_EXECUTED' | 'EXECUTED' | 'UNKNOWN';
}

/** What came back. Data and problems may come together: what a provider could not tell is null, the rest is there. */
export interface Answer<Data> {
  readonly data: Data | undefined;
  readonly problems: readonly Problem[];
}

/** Why a subscription is over: its end, a problem that the service names, or a connection that was cut. */
export type Ending = { completed: true } | { problems: readonly Problem[] } | { cut: string };

export interface Graph {
  /** Asks. It throws where no answer comes. */
  query<Data, Variables extends Record<string, unknown>>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Answer<Data>>;
  /** Changes. It throws where no answer comes: then nobody knows whether something happened. */
  mutate<Data, Variables extends Record<string, unknown>>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Answer<Data>>;
  /** Follows, until it is over or `next` has seen enough and says so. */
  follow<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    next: (data: Data) => 'more' | 'enough',
  ): Promise<Ending>;
}

/** A problem, of what GraphQL clients give for an error. */
export function problem({ message, extensions }: { readonly message: string; readonly extensions?: Record<string, unknown> | undefined }): Problem {
  const { code, retryable, outcome } = extensions ?? {};
  return {
    message,
    code: typeof code === 'string' ? code : 'UNKNOWN',
    retryable: retryable === true,
    outcome: outcome === 'NOT_EXECUTED' || outcome === 'EXECUTED' ? outcome : 'UNKNOWN',
  };
}

/** Stops where it is not known how to go on. */
export class Failure extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(({ code, message }) => `${code}: ${message}`).join('\n'));
  }
}
