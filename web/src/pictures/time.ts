// Moments and durations as people read them.

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000],
];

/** slack is how far ahead a moment may be and still be now, in milliseconds: the server's clock is another one. */
const slack = 30_000;

/** relative tells how far a moment is from now: "3 minutes ago", "in 7 days". Text that is no moment comes back as it is. */
export function relative(iso: string, now: number, locale = 'en'): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return iso;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const off = at > now && at - now < slack ? 0 : at - now;
  const [unit, size] = steps.find(([, size]) => Math.abs(off) >= size) ?? steps[steps.length - 1];
  const count = Math.trunc(off / size);
  return format.format(count === 0 ? 0 : count, unit);
}

/** exact is a moment in full, in UTC. */
export function exact(iso: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return iso;
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** clock is the time of day of a moment, in UTC. */
export function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

/** isPast tells whether a moment has come; one that cannot be read has not. */
export function isPast(iso: string | null | undefined, now: number): boolean {
  return iso != null && Date.parse(iso) <= now;
}

const duration = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** milliseconds reads a duration of the graph, as "PT0.0015S"; undefined where it is none. */
export function milliseconds(text: string | null | undefined): number | undefined {
  const match = duration.exec(text ?? '');
  if (!match || text === 'P') return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}

/** shortDuration writes milliseconds with the two digits that matter: "1.1 ms", "340 ms", "2.4 s". */
export function shortDuration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toPrecision(2)}\u00a0s`;
  return `${ms >= 100 ? Math.round(ms) : Number(ms.toPrecision(2))}\u00a0ms`;
}
