// Who is signed in, and with which token. Tokens live in this page's memory and in its sessionStorage, which ends
// with the tab; never in an address, and never in localStorage.

/** Account is a client of the graph with a token of its. */
export interface Account {
  role: string;
  scopes: string[];
  token: string;
  /** expiresAt is when the token ends, in milliseconds since 1970; undefined where only the server knows. */
  expiresAt?: number;
  /** customerId is the only customer whom the token opens. */
  customerId?: string;
  /** guest is set for the sandbox's own clients, who get new tokens without a secret. */
  guest?: boolean;
}

const kept = 'creditgraph.account';

/** remember keeps who is signed in over a reload. */
export function remember(account: Account | null): void {
  if (account) sessionStorage.setItem(kept, JSON.stringify(account));
  else sessionStorage.removeItem(kept);
}

/** remembered is who was signed in before a reload; null where nobody was, or the token has ended. */
export function remembered(now = Date.now()): Account | null {
  try {
    const account = JSON.parse(sessionStorage.getItem(kept) ?? 'null') as Account | null;
    return account && (account.guest || (account.expiresAt ?? Number.POSITIVE_INFINITY) > now) ? account : null;
  } catch {
    return null;
  }
}

interface GuestAnswer {
  roles: { role: string; scopes: string[]; token: string; expiresIn: number; customerId?: string }[];
}

/**
 * guests are the clients that visitors of the sandbox may be, with fresh tokens; null where there is no sandbox, so
 * that people sign in. A sandbox that is about to be ready is waited for.
 */
export async function guests(signal?: AbortSignal): Promise<Account[] | null> {
  for (;;) {
    const response = await fetch('/explorer/session', { signal, cache: 'no-store' });
    if (response.status === 503) {
      await pause(1000 * Number(response.headers.get('Retry-After') ?? 1), signal);
      continue;
    }
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`The sandbox gave no tokens: ${(await response.text()).trim()}`);
    const { roles } = (await response.json()) as GuestAnswer;
    return roles.map(({ expiresIn, ...role }) => ({ ...role, expiresAt: Date.now() + 1000 * expiresIn, guest: true }));
  }
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** signIn gets a token for a client's id and secret. The secret is not kept. */
export async function signIn(clientId: string, secret: string): Promise<Account> {
  const response = await fetch('/oauth/token', {
    method: 'POST',
    credentials: 'omit', // or the browser would ask for a password itself where these are wrong
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error_description ?? answer.error ?? `The server answered ${response.status}.`);
  return {
    role: clientId,
    scopes: String(answer.scope ?? '').split(' ').filter(Boolean),
    token: answer.access_token,
    expiresAt: Date.now() + 1000 * answer.expires_in,
  };
}

/** withToken signs in with a token that was got elsewhere: the graph says whose it is. */
export async function withToken(token: string): Promise<Account> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: 'query ExplorerSignIn { viewer { clientId scopes } }' }),
  });
  const { data, errors } = await response.json();
  if (!data?.viewer) throw new Error(errors?.[0]?.message ?? `The server answered ${response.status}.`);
  return { role: data.viewer.clientId, scopes: data.viewer.scopes, token };
}
