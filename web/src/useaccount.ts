// Signing in, and staying signed in.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type Account, guests as askForGuests, remember, remembered } from './account';
import { openSession, type Wire } from './session';

/** first is the role that a visitor of the sandbox has without having chosen one. */
const first = 'front end';

/** Access is who is signed in, and how to change that. */
export interface Access {
  /** state is "looking" until it is known whether there is a sandbox. */
  state: 'looking' | 'out' | 'in' | 'failed';
  /** message says why somebody has to sign in, or why it failed. */
  message?: string;
  /** roles are those to choose from in the sandbox; null outside of it. */
  roles: Account[] | null;
  account: Account | null;
  session: Wire | null;
  /** reader may read the schema; null where nobody here may. */
  reader: Wire | null;
  enter(account: Account): void;
  leave(message?: string): void;
}

/** mayRead reports whether a token opens the schema. */
const mayRead = ({ scopes }: Account) => scopes.includes('read:events') || scopes.includes('operate');

/** useAccess signs visitors of the sandbox in, and brings back who was signed in before a reload. */
export function useAccess(): Access {
  const [state, setState] = useState<Access['state']>('looking');
  const [message, setMessage] = useState<string>();
  const [roles, setRoles] = useState<Account[] | null>(null);
  const [account, setAccount] = useState<Account | null>(null);

  const enter = useCallback((next: Account) => {
    remember(next);
    setAccount(next);
    setMessage(undefined);
    setState('in');
  }, []);
  const leave = useCallback((why?: string) => {
    remember(null);
    setAccount(null);
    setMessage(why);
    setState('out');
  }, []);

  useEffect(() => {
    const looking = new AbortController();
    const before = remembered();
    askForGuests(looking.signal).then((found) => {
      setRoles(found);
      const own = before && !before.guest ? before : null;
      const next = own ?? found?.find(({ role }) => role === before?.role) ?? found?.find(({ role }) => role === first) ?? found?.[0];
      if (next) enter(next);
      else leave();
    }).catch((error: unknown) => {
      if (looking.signal.aborted) return;
      setMessage(error instanceof Error ? error.message : String(error));
      setState('failed');
    });
    return () => looking.abort();
  }, [enter, leave]);

  const session = useSession(account, leave);
  const guide = useMemo(() => (account && mayRead(account) ? account : (account && roles?.find(mayRead)) ?? null), [account, roles]);
  const other = useSession(guide === account ? null : guide, leave);
  return { state, message, roles, account, session, reader: guide === account ? session : other, enter, leave };
}

/** useSession is a session in an account's name, with a token that is renewed where that takes nobody. */
function useSession(account: Account | null, leave: (message: string) => void): Wire | null {
  const current = useRef(account);
  current.current = account;
  const session = useMemo(() => {
    if (!account) return null;
    let held = account;
    return openSession({
      account: () => held,
      renew: async () => {
        held = await renewed(held);
        if (current.current?.role === held.role) remember(held);
        return held;
      },
      onRefused: () => leave('The token is no longer good. Sign in again.'),
    });
  }, [account, leave]);
  useEffect(() => () => session?.close(), [session]);
  return session;
}

/** renewed is an account with a new token. Only the sandbox gives one without a secret. */
async function renewed(account: Account): Promise<Account> {
  const found = account.guest ? await askForGuests() : null;
  const next = found?.find(({ role }) => role === account.role);
  if (!next) throw new Error('The token is no longer good. Sign in again.');
  return next;
}
