// The websocket of both clients. It does not come back by itself: whoever follows comes back with the last cursor.
import { createClient, type Client } from 'graphql-ws';
import WebSocket from 'ws';
import { address, refused, token } from './settings.js';

// Node 20 has no WebSocket of its own, and Apollo's link looks for one when a connection ends.
Object.assign(globalThis, { WebSocket: globalThis.WebSocket ?? WebSocket });

export function socket(): Client {
  let unanswered: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url: address.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ Authorization: `Bearer ${await token()}` }),
    retryAttempts: 0,
    connectionAckWaitTimeout: 10_000,
    keepAlive: 10_000, // a machine that vanishes ends no connection: ask
    on: {
      closed: (event) => {
        clearTimeout(unanswered);
        if ((event as { code?: number }).code === 4403) refused();
      },
      ping: (received) => {
        if (!received) unanswered = setTimeout(() => client.terminate(), 5_000);
      },
      pong: (received) => {
        if (received) clearTimeout(unanswered);
      },
    },
  });
  return client;
}
