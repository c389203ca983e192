// A session is a person's hold on the graph: who they are, and how to ask.
import { createClient, type Client } from 'graphql-ws';
import type { Account } from './account';

/** GraphError is an error as the graph sends it. */
export interface GraphError {
  message: string;
  path?: (string | number)[];
  extensions?: Record<string, unknown>;
}

/** Answer is what the graph says to a query or a mutation. */
export interface Answer<T> {
  data?: T | null;
  errors?: GraphError[];
  extensions?: Record<string, unknown>;
}

/** StreamState is how a subscription is doing. */
export type StreamState = 'connecting' | 'live' | 'retrying' | 'closed';

/** Session asks the graph in the name of one client. */
export interface Session {
  role: string;
  scopes: string[];
  /** request sends a query or a mutation. It rejects only where no answer came. */
  request<T>(document: string, variables?: object): Promise<Answer<T>>;
  /** subscribe follows a subscription until the returned function is called. */
  subscribe<T>(
    document: string,
    variables: object | undefined,
    onNext: (value: T) => void,
    onState: (state: StreamState, reason?: string) => void,
  ): () => void;
}

/** Operation is one that is sent as the editor has it. */
export interface Operation {
  query: string;
  operationName?: string | null;
  variables?: object;
}

/** Sink takes what a stream brings. */
export interface Sink {
  next(answer: Answer<unknown>): void;
  error(reason: unknown): void;
  complete(): void;
}

/** Wire is a session with what the editor needs beside it. */
export interface Wire extends Session {
  /** send posts an operation, with files where there are some. */
  send(operation: Operation, headers?: Record<string, string>, files?: ReadonlyMap<string, File>): Promise<Answer<unknown>>;
  /** stream runs a subscription over a websocket. */
  stream(operation: Operation, sink: Sink, onState?: (state: StreamState, reason?: string) => void): () => void;
  /** close ends all streams. */
  close(): void;
}

/** Keys gives the token of the moment. */
export interface Keys {
  account(): Account;
  /** renew gets another token, and fails where somebody has to sign in again. */
  renew(): Promise<Account>;
  /** onRefused is told when there is none to be had. */
  onRefused?(): void;
}

const endpoint = '/graphql';

/** openSession makes a session. Its token is asked for at each request, as it may be renewed in between. */
export function openSession(keys: Keys): Wire {
  const { role, scopes } = keys.account();
  const sockets = new Set<Client>();

  async function send(operation: Operation, headers: Record<string, string> = {}, files: ReadonlyMap<string, File> = new Map()) {
    let response = await post(operation, headers, files, keys.account().token);
    if (response.status === 401) {
      const account = await renewed(keys);
      if (account) response = await post(operation, headers, files, account.token);
    }
    return read(response);
  }

  function stream(operation: Operation, sink: Sink, onState: (state: StreamState, reason?: string) => void = () => {}) {
    const client = openSocket(keys, onState);
    sockets.add(client);
    const end = client.subscribe(
      { query: operation.query, variables: operation.variables as Record<string, unknown>, operationName: operation.operationName },
      {
        next: (answer) => sink.next(answer as Answer<unknown>),
        error: (reason) => {
          close();
          onState('closed', reasonOf(reason));
          sink.error(reason);
        },
        complete: () => {
          close();
          onState('closed');
          sink.complete();
        },
      },
    );
    function close() {
      sockets.delete(client);
      dispose(client);
    }
    return () => {
      end();
      close();
    };
  }

  return {
    role,
    scopes,
    send,
    stream,
    request: async <T>(query: string, variables?: object) => (await send({ query, variables })) as Answer<T>,
    subscribe: <T>(query: string, variables: object | undefined, onNext: (value: T) => void, onState: (state: StreamState, reason?: string) => void) =>
      stream({ query, variables }, {
        next: (answer) => {
          if (answer.errors?.length) onState('live', answer.errors.map((error) => error.message).join(' '));
          if (answer.data) onNext(answer.data as T);
        },
        error: () => {},
        complete: () => {},
      }, onState),
    close: () => {
      sockets.forEach(dispose);
      sockets.clear();
    },
  };
}

/** renewed is an account with another token; null where somebody has to sign in again. */
async function renewed(keys: Keys): Promise<Account | null> {
  try {
    return await keys.renew();
  } catch {
    keys.onRefused?.();
    return null;
  }
}

/** dispose ends a client. One that was about to connect rejects with why it could not, which onState has told already. */
function dispose(client: Client) {
  Promise.resolve(client.dispose()).catch(() => {});
}

/** post sends an operation: as JSON, or as a form where it has files. */
function post(operation: Operation, headers: Record<string, string>, files: ReadonlyMap<string, File>, token: string) {
  const body = JSON.stringify({ query: operation.query, variables: operation.variables ?? {}, operationName: operation.operationName ?? undefined });
  const sent = new Headers({ Accept: 'application/graphql-response+json, application/json', ...headers });
  if (!sent.has('Authorization')) sent.set('Authorization', `Bearer ${token}`);
  if (files.size === 0) {
    sent.set('Content-Type', 'application/json');
    return fetch(endpoint, { method: 'POST', headers: sent, body });
  }
  sent.set('GraphQL-Preflight', '1');
  return fetch(endpoint, { method: 'POST', headers: sent, body: formOf(body, files) });
}

/** formOf is a form as the GraphQL multipart request specification has it. Where a file belongs, body has null. */
export function formOf(body: string, files: ReadonlyMap<string, File>): FormData {
  const form = new FormData();
  const paths = [...files.keys()];
  form.set('operations', body);
  form.set('map', JSON.stringify(Object.fromEntries(paths.map((path, i) => [String(i), [path]]))));
  paths.forEach((path, i) => form.set(String(i), files.get(path)!));
  return form;
}

/** read takes an answer of any status: an error comes with its reason in the same shape. */
async function read(response: Response): Promise<Answer<unknown>> {
  const text = await response.text();
  try {
    return JSON.parse(text) as Answer<unknown>;
  } catch {
    throw new Error(`The server answered ${response.status}: ${text.slice(0, 200)}`);
  }
}

/** openSocket opens a websocket that comes back after the server was restarted or the network was away. */
function openSocket(keys: Keys, onState: (state: StreamState, reason?: string) => void): Client {
  let refused = false;
  return createClient({
    url: location.origin.replace(/^http/, 'ws') + endpoint,
    lazy: true,
    retryAttempts: Number.POSITIVE_INFINITY,
    connectionParams: async () => {
      const account = refused ? await renewed(keys) : keys.account();
      if (!account) throw new Error('The token is no longer good. Sign in again.');
      return { Authorization: `Bearer ${account.token}` };
    },
    on: {
      connecting: (retrying) => onState(retrying ? 'retrying' : 'connecting'),
      connected: () => {
        refused = false;
        onState('live');
      },
      closed: (event) => {
        const { code, reason } = event as CloseEvent;
        refused = code === 4403;
        if (code !== 1000) onState('retrying', reason);
      },
    },
  });
}

/** reasonOf puts into words why a stream ended. */
export function reasonOf(reason: unknown): string {
  if (Array.isArray(reason)) return reason.map((error: GraphError) => error.message).join(' ');
  if (reason instanceof Error) return reason.message;
  const { code, reason: text } = reason as { code?: number; reason?: string };
  return text || (code === undefined ? 'The connection was lost.' : `The connection was closed (${code}).`);
}
