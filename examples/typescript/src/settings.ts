// Where the service is, and how to be let in.

const {
  CREDITGRAPH_URL = 'http://127.0.0.1:8080',
  CREDITGRAPH_TOKEN,
  CREDITGRAPH_CLIENT_ID,
  CREDITGRAPH_CLIENT_SECRET,
} = process.env;

export const address = new URL('/graphql', CREDITGRAPH_URL).href;

let current = { token: CREDITGRAPH_TOKEN ?? '', until: CREDITGRAPH_TOKEN ? Infinity : 0 };

/** The token to send: the one that was given, or one that is asked for with the client's credentials and kept while it is good. */
export async function token(): Promise<string> {
  if (Date.now() < current.until) return current.token;
  if (!CREDITGRAPH_CLIENT_ID || !CREDITGRAPH_CLIENT_SECRET) {
    throw new Error('Set CREDITGRAPH_TOKEN, or CREDITGRAPH_CLIENT_ID and CREDITGRAPH_CLIENT_SECRET.');
  }
  const response = await fetch(new URL('/oauth/token', CREDITGRAPH_URL), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: CREDITGRAPH_CLIENT_ID,
      client_secret: CREDITGRAPH_CLIENT_SECRET,
    }),
  });
  if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
  const given = (await response.json()) as { access_token: string; expires_in: number };
  current = { token: given.access_token, until: Date.now() + (given.expires_in - 30) * 1000 };
  return current.token;
}

/** Forget a token that was refused. */
export function refused(): void {
  current.until = 0;
}

/** Whether the only token that there is was refused, so that coming back does not help. */
export const lockedOut = (): boolean => current.until === 0 && !CREDITGRAPH_CLIENT_ID;

/** Fetch with the token. A refused one is replaced once: the service did nothing for it. */
export const authorizedFetch: typeof fetch = async (input, init) => {
  const send = async () => {
    const headers = new Headers(init?.headers);
    headers.set('Authorization', `Bearer ${await token()}`);
    return fetch(input, { ...init, headers });
  };
  const response = await send();
  if (response.status !== 401 || !CREDITGRAPH_CLIENT_ID) return response;
  refused();
  return send();
};

/** How long to wait before the next attempt: longer each time, and not the same for all who were cut at once. */
export const pause = (attempt: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.min(250 * 2 ** attempt, 10_000) * (0.5 + Math.random())));
