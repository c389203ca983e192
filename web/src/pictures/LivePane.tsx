// The pane that shows events as they happen, and how the providers are doing.
import { useEffect, useState } from 'react';
import type { Session } from '../session';
import { Frame } from './Frame';
import { EventChart } from './live/EventChart';
import { EventList } from './live/EventList';
import type { Filter } from './live/follow';
import { noKinds, loadKinds, type Kinds } from './live/kinds';
import type { Step } from './live/log';
import { ProviderHealth } from './live/ProviderHealth';
import { useEvents, type Following } from './live/useevents';
import { providerName, sentence } from './words';
import './pictures.css';
import './live/live.css';

/** LivePane follows events and the health of providers for as long as it is shown. */
export default function LivePane({ session }: { session: Session }) {
  const kinds = useKinds(session);
  const [filter, setFilter] = useState<Filter>({ providers: [], types: [] });
  const [following, step] = useEvents(session, filter);
  return (
    <Frame label="Live" className="live-pane">
      <section aria-labelledby="live-health">
        <h2 id="live-health">Providers</h2>
        {kinds && <ProviderHealth session={session} mode={kinds.health} />}
      </section>
      <section aria-labelledby="live-events">
        <h2 id="live-events">Events</h2>
        <State following={following} />
        {following.state !== 'denied' && (
          <>
            <Filters kinds={kinds ?? noKinds} filter={filter} onFilter={setFilter} />
            <EventChart events={following.log.shown} />
            <Controls following={following} step={step} />
            <EventList events={following.log.shown} />
          </>
        )}
      </section>
    </Frame>
  );
}

function useKinds(session: Session): Kinds | undefined {
  const [kinds, setKinds] = useState<Kinds>();
  useEffect(() => {
    let over = false;
    void loadKinds(session).then((loaded) => over || setKinds(loaded));
    return () => {
      over = true;
    };
  }, [session]);
  return kinds;
}

const states: Record<Following['state'], { tone: string; text: string }> = {
  connecting: { tone: 'wait', text: 'Connecting' },
  live: { tone: 'good', text: 'Live' },
  retrying: { tone: 'wait', text: 'Connection lost; trying again' },
  denied: { tone: 'bad', text: 'Not allowed' },
};

function State({ following: { state, reason, gap, log } }: { following: Following }) {
  const { tone, text } = states[state];
  return (
    <div className="live-state" role="status">
      <span className="pic-chip" data-tone={tone}>{text}</span>
      {reason && <span className="pic-problem">{reason}</span>}
      {gap && <span className="pic-problem">Events are missing here: the log no longer reaches back to where this pane was.</span>}
      {log.paused && <span className="pic-quiet">Paused; {log.waiting.length} waiting.</span>}
    </div>
  );
}

interface FiltersProps { kinds: Kinds; filter: Filter; onFilter: (filter: Filter) => void }

function Filters({ kinds, filter, onFilter }: FiltersProps) {
  return (
    <div className="live-filters">
      <Choice name="Provider" all="All providers" values={kinds.providers} write={providerName} value={filter.providers[0]}
        onValue={(value) => onFilter({ ...filter, providers: value ? [value] : [] })} />
      <Choice name="Type" all="All types" values={kinds.types} write={sentence} value={filter.types[0]}
        onValue={(value) => onFilter({ ...filter, types: value ? [value] : [] })} />
    </div>
  );
}

interface ChoiceProps { name: string; all: string; values: string[]; write: (value: string) => string; value?: string; onValue: (value: string) => void }

function Choice({ name, all, values, write, value = '', onValue }: ChoiceProps) {
  return (
    <label className="pic-field">
      {name}
      <select value={value} onChange={(event) => onValue(event.target.value)}>
        <option value="">{all}</option>
        {values.map((each) => <option key={each} value={each}>{write(each)}</option>)}
      </select>
    </label>
  );
}

function Controls({ following: { log }, step }: { following: Following; step: (step: Step) => void }) {
  return (
    <p className="live-controls">
      <button type="button" aria-pressed={log.paused} onClick={() => step({ kind: log.paused ? 'go' : 'pause' })}>{log.paused ? 'Go on' : 'Pause'}</button>
      <button type="button" onClick={() => step({ kind: 'clear' })}>Clear</button>
      <span className="pic-quiet">{log.count} since this pane opened</span>
    </p>
  );
}
