// A reader of GraphQL over server-sent events that needs nothing but fetch: for the page, and for any program
// that wants no dependency.

const silence = 40_000; // the service says at least every 15 seconds that it is there
const final = [400, 401, 403, 404]; // answers that coming back does not change

/**
 * Stream yields what a subscription brings, { id, data } each, and comes back by itself with the id of the last
 * one: nothing is left out and nothing comes twice. It ends when the service says so, and throws when it refuses.
 */
export async function* stream({ url, token, query, lastSeen, tell = () => {} }) {
  for (let retries = 0; ; retries++) {
    try {
      for await (const { event, id, data } of connection(url, token, query, lastSeen)) {
        if (event === 'open') tell('connected');
        if (event === 'complete') return;
        if (event !== 'next') continue;
        retries = 0;
        yield { id, data: JSON.parse(data) };
        lastSeen = id || lastSeen;
      }
    } catch (problem) {
      if (problem instanceof Refused) throw problem;
    }
    tell('the connection ended; coming back');
    await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** retries, 10_000) * (0.5 + Math.random())));
  }
}

export class Refused extends Error {}

/** The events of one connection. */
async function* connection(url, token, query, lastSeen) {
  const dead = new AbortController();
  let late = setTimeout(() => dead.abort(), silence);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        Accept: 'text/event-stream',
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        ...(lastSeen && { 'Last-Event-ID': lastSeen }),
      },
      body: JSON.stringify({ query }),
      signal: dead.signal,
    });
    if (final.includes(response.status)) throw new Refused((await response.json()).errors[0].message);
    if (!response.ok) return;
    yield { event: 'open' };
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(late);
      late = setTimeout(() => dead.abort(), silence);
      const blocks = (text + value).split('\n\n');
      text = blocks.pop(); // not there in full yet
      for (const block of blocks) yield fields(block);
    }
  } finally {
    clearTimeout(late);
    dead.abort(); // whoever stops reading ends the connection
  }
}

/** The fields of one event: "name: value" lines. */
const fields = (block) =>
  Object.fromEntries(block.split('\n').map((line) => [line.split(':', 1)[0], line.slice(line.indexOf(':') + 1).trimStart()]));
