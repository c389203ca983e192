import { Bar, BarChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { clock } from '../time';
import { useNow } from '../usenow';
import { providerName } from '../words';
import type { LiveEvent } from './follow';
import { countsOf, providersOf } from './log';

/** EventChart counts the latest events over time, by provider. The list below says the same in words. */
export function EventChart({ events }: { events: LiveEvent[] }) {
  const now = useNow(2000);
  const bars = countsOf(events, now);
  const providers = providersOf(bars);
  const total = bars.reduce((sum, bar) => sum + bar.total, 0);
  return (
    <figure className="live-chart">
      <figcaption>
        {total} {total === 1 ? 'event' : 'events'} in the last 3 minutes
        {providers.map((provider) => <span key={provider}><i className="live-dot" data-provider={provider} />{nameOf(provider)}</span>)}
      </figcaption>
      <div aria-hidden="true">
        <ResponsiveContainer width="100%" height={96}>
          <BarChart data={bars} margin={{ top: 4, right: 0, bottom: 0, left: 0 }} barCategoryGap={2} accessibilityLayer={false}>
            <XAxis dataKey="from" tickFormatter={clock} interval="preserveStartEnd" minTickGap={40} tickLine={false} />
            <YAxis width={28} allowDecimals={false} tickCount={3} tickLine={false} axisLine={false} />
            <Tooltip isAnimationActive={false} labelFormatter={(from) => `${clock(Number(from))} UTC, 10 s`} cursor={{ className: 'live-cursor' }} />
            {providers.map((provider) => (
              <Bar key={provider} dataKey={provider} name={nameOf(provider)} stackId="all" isAnimationActive={false} className="live-bar" fill={`var(--live-${provider}, var(--live-other))`} />
            ))}
          </BarChart>
        </ResponsiveContainer>
      </div>
    </figure>
  );
}

function nameOf(provider: string): string {
  return providerName(provider === 'NONE' ? null : provider);
}
