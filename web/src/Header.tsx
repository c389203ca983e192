import type { Theme } from './theme';
import type { Access } from './useaccount';

interface HeaderProps {
  access: Access;
  theme: Theme;
  onTheme: (theme: Theme) => void;
  picking: boolean;
  onPicking: (shown: boolean) => void;
}

/** Header says where one is and who one is. */
export function Header({ access, theme, onTheme, picking, onPicking }: HeaderProps) {
  return (
    <header className="bar">
      <h1>creditgraph <span>explorer</span></h1>
      <button type="button" className="pick" aria-expanded={picking} aria-controls="operations" onClick={() => onPicking(!picking)}>
        Operations
      </button>
      <div className="who">
        <Role access={access} />
        <label>
          <span>Theme</span>
          <select value={theme} onChange={(event) => onTheme(event.target.value as Theme)}>
            <option value="system">System</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
      </div>
    </header>
  );
}

/** Role is a choice in the sandbox, and the signed-in client elsewhere. */
function Role({ access: { account, roles, enter, leave } }: { access: Access }) {
  if (!account) return null;
  const title = `Scopes: ${account.scopes.join(' ')}`;
  if (roles && account.guest) {
    return (
      <label title={title}>
        <span>Signed in as</span>
        <select value={account.role} onChange={(event) => enter(roles.find(({ role }) => role === event.target.value)!)}>
          {roles.map(({ role }) => <option key={role}>{role}</option>)}
        </select>
      </label>
    );
  }
  return (
    <>
      <span className="client" title={title}>{account.role}</span>
      <button type="button" onClick={() => leave()}>Sign out</button>
    </>
  );
}
