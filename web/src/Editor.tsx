import { DOC_EXPLORER_PLUGIN, useDocExplorerActions } from '@graphiql/plugin-doc-explorer';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import './workers';
import '@graphiql/react/style.css';
import 'graphiql/graphiql.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-explorer/style.css';
import './editor.css';
import { drawnSoon, makeFetcher } from './fetcher';
import { linkTo, type Shared, sharedIn } from './link';
import { useSchema } from './schema';
import type { Answer, StreamState, Wire } from './session';
import { Side } from './Side';
import { hasTabs, storage } from './storage';
import type { Theme } from './theme';
import { Uploads } from './Uploads';

/** EditorHandle is what others do with the editor. */
export interface EditorHandle {
  /** open shows an operation in a tab of its own. */
  open(operation: Shared): void;
  /** fresh is set where there are no tabs from before, and no link was followed. */
  fresh: boolean;
}

interface EditorProps {
  session: Wire;
  /** reader may read the schema; null where nobody may. */
  reader: Wire | null;
  /** customerId is the only customer whom the session opens. */
  customerId?: string;
  theme: Theme;
  onReady: (handle: EditorHandle | null) => void;
}

const plugins = [HISTORY_PLUGIN, explorerPlugin()];

/** Editor is GraphiQL, with the pictures beside the response. */
export default function Editor({ session, reader, customerId, theme, onReady }: EditorProps) {
  const { schema, problem } = useSchema(reader);
  const [answer, setAnswer] = useState<Answer<unknown> | null>(null);
  const [stream, setStream] = useState<{ state: StreamState; reason?: string } | null>(null);
  const files = useRef<ReadonlyMap<string, File>>(new Map());
  const fetcher = useMemo(
    () => makeFetcher(session, {
      onAnswer: setAnswer,
      onStream: (state, reason) => setStream(state && { state, reason }),
      files: () => files.current,
      drawn: drawnSoon,
    }),
    [session],
  );
  const onFiles = useCallback((chosen: ReadonlyMap<string, File>) => {
    files.current = chosen;
  }, []);
  return (
    <GraphiQL
      fetcher={fetcher}
      schema={schema}
      dangerouslyAssumeSchemaIsValid
      plugins={plugins}
      storage={storage}
      shouldPersistHeaders
      showPersistHeadersSettings={false}
      forcedTheme={theme}
      defaultQuery=""
      defaultEditorToolsVisibility
    >
      <GraphiQL.Logo><Share /></GraphiQL.Logo>
      <Bridge onReady={onReady} />
      <Uploads schema={schema} onFiles={onFiles} />
      <Sided session={session} answer={answer} stream={stream} customerId={customerId} problem={problem} />
    </GraphiQL>
  );
}

/** Sided is the side pane, with what it takes from the editor. */
function Sided(props: Omit<Parameters<typeof Side>[0], 'schema' | 'onShowType'>) {
  const schema = useGraphiQL((state) => state.schema) ?? null;
  const { setVisiblePlugin } = useGraphiQLActions();
  const { push } = useDocExplorerActions();
  const show = useCallback(
    (name: string) => {
      const def = schema?.getType(name);
      if (!def) return;
      setVisiblePlugin(DOC_EXPLORER_PLUGIN);
      push({ name, def });
    },
    [schema, setVisiblePlugin, push],
  );
  return <Side {...props} schema={schema} onShowType={show} />;
}

/** Bridge hands the editor's handle out once its parts are there, and shows what a link brought. */
function Bridge({ onReady }: { onReady: EditorProps['onReady'] }) {
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const { addTab, updateActiveTabValues } = useGraphiQLActions();
  const had = useRef(hasTabs());
  useEffect(() => {
    if (!queryEditor || !variableEditor) return;
    const open = ({ query, variables }: Shared) => {
      if (queryEditor.getValue().trim() !== '') addTab();
      queryEditor.setValue(query);
      variableEditor.setValue(variables ?? '');
      // The tab learns what the editors hold only after a while, and the history keeps what the tab says.
      updateActiveTabValues({ query, variables: variables ?? '' });
    };
    const follow = () => {
      const shared = sharedIn(location.hash);
      if (!shared) return false;
      history.replaceState(null, '', location.pathname); // or a reload would open it again
      open(shared);
      return true;
    };
    onReady({ open, fresh: !follow() && !had.current });
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('hashchange', follow);
      onReady(null);
    };
  }, [queryEditor, variableEditor, addTab, updateActiveTabValues, onReady]);
  return null;
}

/** Share copies a link to what stands in the editor. */
function Share() {
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const [said, setSaid] = useState('Copy link');
  const copy = async () => {
    const link = linkTo(location.origin + location.pathname, { query: queryEditor?.getValue() ?? '', variables: variableEditor?.getValue() });
    try {
      await navigator.clipboard.writeText(link);
      setSaid('Link copied');
    } catch {
      setSaid('The browser did not let us copy');
    }
    setTimeout(() => setSaid('Copy link'), 2000);
  };
  return <button type="button" className="share" aria-live="polite" onClick={copy}>{said}</button>;
}
