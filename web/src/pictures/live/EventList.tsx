import { formatMoney } from '../money';
import { clock, exact } from '../time';
import { providerName, sentence } from '../words';
import type { LiveEvent } from './follow';
import { subjectOf } from './log';

/** EventList is a list of events, newest first. */
export function EventList({ events }: { events: LiveEvent[] }) {
  if (events.length === 0) return <p className="pic-quiet">No events yet.</p>;
  return (
    <div className="live-scroll" role="region" aria-label="Latest events" tabIndex={0}>
      <ol className="live-list">{events.map((event) => <li key={event.id} data-event={event.type} data-source={event.source}><EventRow event={event} /></li>)}</ol>
    </div>
  );
}

function EventRow({ event }: { event: LiveEvent }) {
  const { type, providerType, provider, source, receivedAt, customer, payment } = event;
  return (
    <>
      <time dateTime={receivedAt} title={exact(receivedAt)}>{clock(Date.parse(receivedAt))}</time>
      <strong>{type === 'UNKNOWN' && providerType ? providerType : sentence(type)}</strong>
      {provider && <span className="live-provider"><i className="live-dot" data-provider={provider} />{providerName(provider)}</span>}
      <span className="live-subject">
        {customer?.fullName}
        {subjectOf(event).map((part) => <span key={part}>{part}</span>)}
        {payment && <span>{formatMoney(payment.amount)}</span>}
      </span>
      {source && <span className="pic-quiet live-source">{sources[source] ?? sentence(source)}</span>}
    </>
  );
}

const sources: Record<string, string> = { API: 'by our call', WEBHOOK: 'by webhook', POLL: 'by asking' };
