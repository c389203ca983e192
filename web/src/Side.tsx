import type { GraphQLSchema } from 'graphql';
import { Component, type KeyboardEvent, lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import type { Answer, Session, StreamState } from './session';
import { useElement } from './useelement';

const SummaryPane = lazy(() => import('./pictures/SummaryPane'));
const LivePane = lazy(() => import('./pictures/LivePane'));
const SchemaPane = lazy(() => import('./pictures/SchemaPane'));

const panes = ['Response', 'Summary', 'Live', 'Schema'] as const;

type Pane = (typeof panes)[number];

interface SideProps {
  session: Session;
  answer: Answer<unknown> | null;
  /** stream is how the editor's subscription is doing; null where it has none. */
  stream: { state: StreamState; reason?: string } | null;
  schema: GraphQLSchema | null;
  /** problem says why there is no schema. */
  problem?: string;
  customerId?: string;
  onShowType: (name: string) => void;
}

/** Side puts pictures beside the response: of a summary, of what happens, of the schema. */
export function Side(props: SideProps) {
  const [pane, setPane] = useState<Pane>('Response');
  const host = useElement('.graphiql-response', 'side', 'prepend');
  useEffect(() => {
    if (host?.parentElement) host.parentElement.dataset.pane = pane;
  }, [host, pane]);
  useEffect(() => {
    // On a phone the answer comes below the fold.
    if (props.answer && host && matchMedia('(max-width: 52rem)').matches) host.parentElement?.scrollIntoView({ block: 'start' });
  }, [props.answer, host]);
  if (!host) return null;
  return createPortal(
    <>
      <Tabs pane={pane} onPane={setPane} stream={props.stream} />
      {pane !== 'Response' && (
        <div className="pane" role="tabpanel" id="side-pane" aria-labelledby={`side-${pane}`}>
          <Fence key={pane}>
            <Suspense fallback={<p className="waiting">Drawing…</p>}>
              <Picture {...props} pane={pane} />
            </Suspense>
          </Fence>
        </div>
      )}
    </>,
    host,
  );
}

function Tabs({ pane, onPane, stream }: { pane: Pane; onPane: (pane: Pane) => void; stream: SideProps['stream'] }) {
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = panes[(panes.indexOf(pane) + step + panes.length) % panes.length];
    onPane(next);
    document.getElementById(`side-${next}`)?.focus();
  };
  return (
    <div className="side-bar">
      <div role="tablist" aria-label="What to show of the answer" onKeyDown={move}>
        {panes.map((name) => (
          <button
            key={name} type="button" role="tab" id={`side-${name}`} aria-selected={name === pane} tabIndex={name === pane ? 0 : -1}
            aria-controls={name === pane && name !== 'Response' ? 'side-pane' : undefined} onClick={() => onPane(name)}
          >
            {name}
          </button>
        ))}
      </div>
      <p className="stream" role="status" data-state={stream?.state} title={stream?.reason}>{stream && words[stream.state]}</p>
    </div>
  );
}

const words: Record<StreamState, string> = { connecting: 'connecting…', live: 'live', retrying: 'coming back…', closed: 'ended' };

function Picture({ pane, session, answer, schema, problem, customerId, onShowType }: SideProps & { pane: Pane }) {
  const [chosen, setChosen] = useState<string | null>(customerId ?? null);
  switch (pane) {
    case 'Summary':
      return <SummaryPane session={session} response={answer} customerId={chosen} onCustomerId={setChosen} />;
    case 'Live':
      return <LivePane session={session} />;
    case 'Schema':
      return schema ? <SchemaPane schema={schema} onShowType={onShowType} /> : <p className="waiting">{problem ?? 'The schema is on its way…'}</p>;
    default:
      return null;
  }
}

/** Fence keeps a picture that cannot be drawn from taking the page with it. */
class Fence extends Component<{ children: ReactNode }, { problem?: string }> {
  state: { problem?: string } = {};

  static getDerivedStateFromError(error: unknown) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }

  render() {
    if (this.state.problem === undefined) return this.props.children;
    return <p className="waiting" role="alert">This picture cannot be drawn: {this.state.problem}</p>;
  }
}
