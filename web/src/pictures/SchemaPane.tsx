// The pane that shows the schema: as a picture of types, or as a list of them.
import type { GraphQLSchema } from 'graphql';
import { lazy, Suspense, useReducer, useState } from 'react';
import { Frame } from './Frame';
import { nextTrail, startOf, trailFrom, type Move, type Trail } from './schema/trail';
import { TypeDetails } from './schema/TypeDetails';
import { TypeList } from './schema/TypeList';
import { search } from './schema/types';
import { useNarrow } from './usenarrow';
import './pictures.css';
import './schema/schema.css';

const TypePicture = lazy(() => import('./schema/TypePicture'));

/** SchemaPaneProps are what the pane draws from. */
export interface SchemaPaneProps {
  /** schema is null until it has come, and where a token may not see it. */
  schema: GraphQLSchema | null | undefined;
  /** onShowType opens a type's documentation. */
  onShowType?: (name: string) => void;
}

/** SchemaPane browses the types of a schema. */
export default function SchemaPane({ schema, onShowType }: SchemaPaneProps) {
  if (!schema) {
    return (
      <Frame label="Schema">
        <p className="pic-quiet" role="status">The schema has not come. To see it, a token needs read:events or operate.</p>
      </Frame>
    );
  }
  return <Browser schema={schema} onShowType={onShowType} />;
}

interface BrowserProps { schema: GraphQLSchema; onShowType?: (name: string) => void }

function Browser({ schema, onShowType }: BrowserProps) {
  const start = startOf(schema.getQueryType()?.name ?? 'Query', (type) => schema.getType(type) !== undefined);
  const [trail, move] = useReducer(nextTrail, start, trailFrom);
  const narrow = useNarrow();
  const [chosen, setChosen] = useState<'picture' | 'list'>();
  const shape = chosen ?? (narrow ? 'list' : 'picture');
  const visit = (type: string) => move({ kind: 'visit', type });
  return (
    <Frame label="Schema" className="schema-pane">
      <div className="schema-bar">
        <Steps trail={trail} move={move} onRestart={() => move({ kind: 'restart', view: start })} />
        <div role="group" aria-label="Show the types as">
          {(['picture', 'list'] as const).map((each) => (
            <button key={each} type="button" aria-pressed={shape === each} onClick={() => setChosen(each)}>{each === 'picture' ? 'Graph' : 'List'}</button>
          ))}
        </div>
        <Search schema={schema} onChoose={visit} />
      </div>
      <div className="schema-body" data-shape={shape}>
        {shape === 'list'
          ? <TypeList schema={schema} focus={trail.now.focus} onVisit={visit} />
          : (
            <Suspense fallback={<p className="pic-quiet">Drawing…</p>}>
              <TypePicture schema={schema} view={trail.now} onVisit={visit} onClose={(type) => move({ kind: 'close', type })} />
            </Suspense>
          )}
        <TypeDetails schema={schema} name={trail.now.focus} onVisit={visit} onShowType={onShowType} />
      </div>
    </Frame>
  );
}

function Steps({ trail, move, onRestart }: { trail: Trail; move: (move: Move) => void; onRestart: () => void }) {
  return (
    <div role="group" aria-label="Way">
      <button type="button" aria-label="Back" disabled={trail.past.length === 0} onClick={() => move({ kind: 'back' })}>←</button>
      <button type="button" aria-label="Forward" disabled={trail.future.length === 0} onClick={() => move({ kind: 'forward' })}>→</button>
      <button type="button" onClick={onRestart}>Start over</button>
    </div>
  );
}

const shown = 12; // results of a search

function Search({ schema, onChoose }: { schema: GraphQLSchema; onChoose: (name: string) => void }) {
  const [text, setText] = useState('');
  const found = text.trim() ? search(schema, text).slice(0, shown) : [];
  const choose = (name: string) => {
    setText('');
    onChoose(name);
  };
  return (
    <search onKeyDown={(event) => event.key === 'Escape' && setText('')}>
      <form onSubmit={(event) => { event.preventDefault(); if (found.length > 0) choose(found[0]); }}>
        <input type="search" aria-label="Find a type or a field" placeholder="Find a type or a field" value={text} onChange={(event) => setText(event.target.value)} />
      </form>
      {text.trim() && (
        <ul className="schema-found" aria-label="Types found">
          {found.map((name) => <li key={name}><button type="button" onClick={() => choose(name)}>{name}</button></li>)}
          {found.length === 0 && <li className="pic-quiet">No type and no field is called so.</li>}
        </ul>
      )}
    </search>
  );
}
