// Follows the events over a websocket, with graphql-ws. Each is printed once, also when the service restarts.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { Refusal, address, follow, pause, refused, say, token } from './session.mjs';

let unanswered; // runs out when the service does not answer a ping

const client = createClient({
  url: address.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: async () => ({ Authorization: `Bearer ${await token()}` }),
  retryAttempts: Infinity,
  retryWait: pause,
  // Without this, a connection that is refused while the service restarts would be the end.
  shouldRetry: (problem) => !(problem instanceof Refusal),
  connectionAckWaitTimeout: 10_000,
  keepAlive: 10_000,
  on: {
    connected: () => say('connected'),
    closed: ({ code, reason }) => {
      clearTimeout(unanswered);
      say(`the connection ended: ${code} ${reason}`);
      if (code === 4403) refused();
    },
    ping: (received) => {
      if (!received) unanswered = setTimeout(() => client.terminate(), 5_000);
    },
    pong: (received) => {
      if (received) clearTimeout(unanswered);
    },
  },
});

try {
  await follow(client);
} catch (problem) {
  say(problem.message ?? problem.reason ?? problem);
  process.exit(1);
}
