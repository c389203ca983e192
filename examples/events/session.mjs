// What the two scripts have in common: where the service is, the token, where to begin, and what is printed.

const {
  CREDITGRAPH_URL = 'http://127.0.0.1:8080',
  CREDITGRAPH_TOKEN,
  CREDITGRAPH_CLIENT_ID,
  CREDITGRAPH_CLIENT_SECRET,
} = process.env;

export const address = new URL('/graphql', CREDITGRAPH_URL).href;

const subscription = `subscription Follow($after: String) {
  events(after: $after) { cursor event { id type occurredAt provider loan { id status } } }
}`;

/** A refusal is a problem that coming back does not mend. */
export class Refusal extends Error {}

export const say = (text) => console.error(text);

/** How long to wait before coming back: longer each time, and not the same for all who were cut at once. */
export const pause = (retries) =>
  new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** retries, 10_000) * (0.5 + Math.random())));

let current = { token: CREDITGRAPH_TOKEN, until: CREDITGRAPH_TOKEN ? Infinity : 0 };

/** The token to send: the one that was given, or one that is asked for with the client's credentials. */
export async function token() {
  if (Date.now() < current.until) return current.token;
  if (!CREDITGRAPH_CLIENT_ID) {
    throw new Refusal('Set CREDITGRAPH_TOKEN to a token that is good, or CREDITGRAPH_CLIENT_ID and CREDITGRAPH_CLIENT_SECRET.');
  }
  const got = await answer(new URL('/oauth/token', CREDITGRAPH_URL).href, () => ({
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: CREDITGRAPH_CLIENT_ID,
      client_secret: CREDITGRAPH_CLIENT_SECRET,
    }),
  }));
  current = { token: got.access_token, until: Date.now() + (got.expires_in - 30) * 1000 };
  return current.token;
}

/** Say that the service refused the token: the next one is a new one. */
export function refused() {
  current.until = 0;
}

/** Follow the events behind a cursor, the newest one without it. Both clients subscribe in the same way. */
export async function follow(client, after = process.argv[2]) {
  const variables = { after: after ?? (await newest()) };
  say(`behind ${variables.after}`);
  process.once('SIGINT', () => {
    say(`to go on from here: node ${process.argv[1]} ${variables.after ?? ''}`);
    process.exit(0);
  });
  for (;;) {
    const problem = await untilItEnds(client, variables);
    if (!Array.isArray(problem)) throw problem;
    if (!problem.every((one) => one.extensions?.retryable)) throw new Refusal(told(problem));
    say(told(problem));
    await pause(0);
  }
}

/** What GraphQL errors say. */
const told = (errors) =>
  errors.map(({ message, extensions }) => [message, ...(extensions?.problems ?? []).map((one) => one.message)].join(' ')).join('\n');

/** One subscription, through all reconnections of its client. */
async function untilItEnds(client, variables) {
  let end;
  const problem = await new Promise((resolve) => {
    end = client.subscribe(
      { query: subscription, variables },
      {
        // The clients write the variables out anew each time they come back. So the cursor is moved in the
        // moment in which an event is here: no event is asked for twice, and none is left out.
        next({ data, errors }) {
          if (!data) return resolve(errors);
          print(data.events.event);
          variables.after = data.events.cursor;
        },
        error: resolve,
        complete: () => resolve(new Refusal('The service ended the subscription.')),
      },
    );
  });
  end();
  return problem;
}

function print({ id, type, occurredAt, provider, loan }) {
  const about = loan ? `loan ${loan.status}` : '';
  console.log(`${occurredAt}  ${type.padEnd(23)} ${(provider ?? '').padEnd(13)} ${about.padEnd(22)} ${id}`);
}

/** The cursor of the newest event: to begin there, however long the first connection takes. */
async function newest() {
  const { data, errors } = await answer(address, async () => ({
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${await token()}` },
    body: JSON.stringify({ query: '{ events(last: 1) { pageInfo { endCursor } } }' }),
  }));
  if (!data?.events) throw new Refusal(told(errors));
  return data.events.pageInfo.endCursor;
}

/** What the service answers, as soon as it does. */
async function answer(url, request) {
  for (let retries = 0; ; retries++) {
    let response;
    try {
      response = await fetch(url, await request());
    } catch (problem) {
      if (problem instanceof Refusal) throw problem;
    }
    if (response?.ok) return response.json();
    if ([400, 401, 403, 404].includes(response?.status)) {
      throw new Refusal(`${url} answers ${response.status}: ${await response.text()}`);
    }
    say(`${url} ${response ? `answers ${response.status}` : 'cannot be reached'}; trying again`);
    await pause(retries);
  }
}
