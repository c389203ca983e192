import { providerName, sentence } from '../words';
import type { Source } from './model';
import { Moment } from './SummaryPage';

/** meanings say of each status what it means for what is drawn. */
const meanings: Record<string, { tone: string; text: string }> = {
  FRESH: { tone: 'good', text: 'asked just now' },
  CACHED: { tone: 'good', text: 'kept from before' },
  STALE: { tone: 'wait', text: 'older than it should be' },
  PENDING: { tone: 'wait', text: 'ordered, has not come yet' },
  NONE: { tone: 'plain', text: 'the provider has nothing' },
  NOT_LINKED: { tone: 'plain', text: 'not known who this is there' },
  UNAVAILABLE: { tone: 'bad', text: 'could not be asked' },
};

/** Sources tell of each provider how fresh its part is, or why it is missing. */
export function Sources({ sources, now }: { sources: Source[]; now: number }) {
  return <ul className="summary-sources">{sources.map((source) => <li key={source.provider}><SourceRow source={source} now={now} /></li>)}</ul>;
}

function SourceRow({ source, now }: { source: Source; now: number }) {
  const { tone, text } = meanings[source.status] ?? { tone: 'plain', text: '' };
  return (
    <>
      <strong>{providerName(source.provider)}</strong>
      <span className="pic-chip" data-tone={tone}>{sentence(source.status)}</span>
      <span className="pic-quiet">{text}{source.asOf && source.status !== 'FRESH' && <> · <Moment iso={source.asOf} now={now} before={source.status === 'UNAVAILABLE' ? 'last heard ' : ''} /></>}</span>
      {source.error?.message && <span className="pic-problem">{source.error.message}{source.error.retryable && ' Asking again may help.'}</span>}
    </>
  );
}
