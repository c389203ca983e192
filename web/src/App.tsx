import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { entries } from 'virtual:operations';
import type { Entry } from '../operations/collect';
import type { EditorHandle } from './Editor';
import { askForIds, fill, type Ids, idsFrom, idsQuery, type IdsAnswer } from './ids';
import { Header } from './Header';
import { Picker } from './Picker';
import { SignIn } from './SignIn';
import { useTheme } from './theme';
import { type Access, useAccess } from './useaccount';
import './shell.css';

const Editor = lazy(() => import('./Editor'));

/** App is the whole page: the shell first, the editor as soon as it has come. */
export function App() {
  const access = useAccess();
  const [theme, setTheme] = useTheme();
  const [picking, setPicking] = useState(false);
  const { ready, open, notice } = useOpening(access);
  const choose = (entry: Entry) => {
    setPicking(false);
    open(entry);
  };
  return (
    <div className="shell">
      <Header access={access} theme={theme} onTheme={setTheme} picking={picking} onPicking={setPicking} />
      <Picker role={access.account?.role} shown={picking} disabled={access.state !== 'in'} onChoose={choose} />
      <main className="work">
        <p className="notice" role="status">{notice}</p>
        <Work access={access} theme={theme} ready={ready} />
      </main>
    </div>
  );
}

interface WorkProps {
  access: Access;
  theme: ReturnType<typeof useTheme>[0];
  ready: (handle: EditorHandle | null) => void;
}

function Work({ access, theme, ready }: WorkProps) {
  switch (access.state) {
    case 'looking':
      return <p className="waiting">Starting…</p>;
    case 'failed':
      return <p className="waiting" role="alert">{access.message} Reload the page to try again.</p>;
    case 'out':
      return <SignIn message={access.message} onAccount={access.enter} />;
    default:
      return (
        <Suspense fallback={<p className="waiting">The editor is on its way…</p>}>
          <Editor session={access.session!} reader={access.reader} customerId={access.account?.customerId} theme={theme} onReady={ready} />
        </Suspense>
      );
  }
}

/** welcome is what somebody sees who is here for the first time. */
const welcome = 'CustomerCreditSummary';

/** useOpening opens entries in the editor, with the ids of this world in the places for them. */
function useOpening({ session, account, roles }: Access) {
  const preferred = account?.customerId ?? (account?.guest ? roles?.find(({ customerId }) => customerId)?.customerId : undefined);
  const [handle, setHandle] = useState<EditorHandle | null>(null);
  const [wanted, setWanted] = useState<Entry | null>(null);
  const [notice, setNotice] = useState('');
  const ready = useCallback((next: EditorHandle | null) => {
    setHandle(next);
    // Somebody may have chosen another one before the editor was there.
    if (next?.fresh) setWanted((chosen) => chosen ?? entries.find(({ title }) => title === welcome) ?? null);
  }, []);

  useEffect(() => {
    if (!wanted || !handle || !session) return;
    let current = true;
    setNotice('');
    const answered = session.request<IdsAnswer>(idsQuery, askForIds(preferred)).then(({ data }) => idsFrom(data ?? {}));
    answered.catch((): Ids => ({})).then((ids) => {
      if (!current) return;
      const { variables, missing } = fill(wanted.variables, ids);
      handle.open({ query: wanted.document, variables: JSON.stringify(variables, null, 2) });
      setNotice(missing.length > 0 ? `There is none of these here, so fill them in yourself: ${[...new Set(missing)].join(', ')}.` : '');
      setWanted(null);
    });
    return () => {
      current = false;
    };
  }, [wanted, handle, session, preferred]);

  return { ready, notice, open: setWanted };
}
