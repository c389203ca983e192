import { type FormEvent, useState } from 'react';
import { type Account, signIn, withToken } from './account';

interface SignInProps {
  message?: string;
  onAccount: (account: Account) => void;
}

/** SignIn takes a client's id and secret, or a token that was got elsewhere. */
export function SignIn({ message, onAccount }: SignInProps) {
  const [problem, setProblem] = useState(message);
  const [busy, setBusy] = useState(false);

  async function enter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    setBusy(true);
    setProblem(undefined);
    try {
      onAccount(text('token') ? await withToken(text('token')) : await signIn(text('client'), text('secret')));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  }

  return (
    <div className="sign-in">
      <h2>Sign in</h2>
      <p>With a client's id and secret, as <code>creditgraph client create</code> prints them, or with a token.</p>
      {problem && <p className="problem" role="alert">{problem}</p>}
      <form onSubmit={enter}>
        <label>Client id <input name="client" autoComplete="username" spellCheck={false} required /></label>
        <label>Secret <input name="secret" type="password" autoComplete="current-password" required /></label>
        <button disabled={busy}>Sign in</button>
      </form>
      <form onSubmit={enter}>
        <label>Token <input name="token" type="password" autoComplete="off" spellCheck={false} required /></label>
        <button disabled={busy}>Use the token</button>
      </form>
    </div>
  );
}
