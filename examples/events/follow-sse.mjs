// Follows the events over server-sent events, with graphql-sse. Each is printed once, also when the service
// restarts.
import { createClient } from 'graphql-sse';
import { address, follow, pause, refused, say, token } from './session.mjs';

// The service says at least every 15 seconds that it is there. A connection that is silent for longer is dead.
const silence = 40_000;

const client = createClient({
  url: address,
  headers: async () => ({ Authorization: `Bearer ${await token()}` }),
  retryAttempts: Infinity,
  retry: (retries) => {
    say('the connection ended');
    return pause(retries);
  },
  on: { connected: () => say('connected') },
  fetchFn: connect,
});

/** Connect is fetch, for a stream that may fall silent. */
async function connect(url, request) {
  const dead = new AbortController();
  const late = setTimeout(() => dead.abort(), silence);
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.any([request.signal, dead.signal]) });
    if (response.status === 401) refused();
    const { ok, status, statusText } = response;
    return { ok, status, statusText, body: chunks(response.body, late) };
  } catch (problem) {
    clearTimeout(late);
    throw problem;
  }
}

async function* chunks(body, late) {
  try {
    for await (const chunk of body) {
      late.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(late);
  }
}

try {
  await follow(client);
} catch (problem) {
  say(problem.message ?? problem);
  process.exit(1);
}
