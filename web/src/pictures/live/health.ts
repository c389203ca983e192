// How the providers are doing, followed or asked for again and again.
import type { Session } from '../../session';
import { healthDocument, healthStream } from './documents';
import type { Kinds } from './kinds';

/** Health is how one provider is doing. */
export interface Health {
  provider: string;
  name: string;
  status: string;
  circuit: string;
  errorRate: number | null;
  checkedAt: string | null;
  lastWebhookAt: string | null;
  sharedBy: number;
  problem: { code: string; message: string; since: string } | null;
  latency: { p50: string | null; p99: string | null } | null;
  rateLimit: { limit: number | null; remaining: number | null; resetsAt: string | null } | null;
  lastError: { code: string; message: string } | null;
}

/** merge puts news of providers in the place of what was known of them. */
export function merge(known: Health[], news: Health[]): Health[] {
  const fresh = new Map(news.map((health) => [health.provider, health]));
  const kept = known.map((health) => fresh.get(health.provider) ?? health);
  return [...kept, ...news.filter((health) => !known.some((each) => each.provider === health.provider))];
}

/** newsOf reads what a stream brings: a provider, one in a field, or a list of either. */
export function newsOf(value: unknown): Health[] {
  if (Array.isArray(value)) return value.flatMap(newsOf);
  if (typeof value !== 'object' || value === null) return [];
  const inside = (value as { provider?: unknown }).provider;
  if (typeof inside === 'object' && inside !== null) return [inside as Health];
  return 'status' in value ? [value as Health] : [];
}

/** askHealth asks once. It rejects where no answer came. */
export async function askHealth(session: Session): Promise<Health[]> {
  const answer = await session.request<{ providers: Health[] }>(healthDocument);
  if (answer.data?.providers) return answer.data.providers;
  throw new Error(answer.errors?.map((error) => error.message).join(' ') || 'The server gave no answer.');
}

/** HealthListener learns how the providers are doing, or why that cannot be told. */
export interface HealthListener {
  onHealth(news: Health[]): void;
  onProblem(problem: string): void;
}

/**
 * watchHealth asks at once, then follows where the schema can be followed, and else asks each 5 seconds while visible
 * says that somebody looks. It ends when the function that it returns is called.
 */
export function watchHealth(session: Session, mode: Kinds['health'], listener: HealthListener, visible = () => !document.hidden): () => void {
  let over = false;
  const ask = async () => {
    try {
      const health = await askHealth(session);
      if (!over) listener.onHealth(health);
    } catch (reason) {
      if (!over) listener.onProblem(reason instanceof Error ? reason.message : String(reason));
    }
  };
  void ask();
  const end = mode === 'asked' ? repeatedly(() => void (visible() && ask())) : stream(session, mode === 'inside', listener, ask);
  return () => {
    over = true;
    end();
  };
}

const pause = 5000; // milliseconds between two questions

function repeatedly(ask: () => void): () => void {
  const timer = setInterval(ask, pause);
  return () => clearInterval(timer);
}

/** stream follows; where that ends, or has to start over, it asks for what may have been missed. */
function stream(session: Session, inside: boolean, listener: HealthListener, ask: () => void): () => void {
  let asking: (() => void) | undefined;
  const end = session.subscribe<{ providerHealth: unknown }>(
    healthStream(inside), undefined,
    (value) => listener.onHealth(newsOf(value.providerHealth)),
    (state) => {
      if (state === 'retrying') ask();
      if (state === 'closed') asking ??= repeatedly(ask);
    },
  );
  return () => {
    end();
    asking?.();
  };
}
