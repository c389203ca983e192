import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Session } from '../../session';
import { summaryDocument } from './documents';
import { summariesOf, type Summary } from './model';

/** Asked is what became of the pane's own question. */
export interface Asked {
  id: string;
  state: 'asking' | 'answered' | 'failed';
  summaries: Summary[];
  problems: string[];
}

/** askFor asks for one customer's summary. It does not reject: what went wrong is in problems. */
export async function askFor(session: Session, id: string): Promise<Asked> {
  try {
    const answer = await session.request<{ customer: unknown }>(summaryDocument, { id });
    const summaries = summariesOf(answer);
    const problems = summaries.length ? [] : (answer.errors ?? []).map((error) => error.message);
    if (!summaries.length && !problems.length) problems.push('There is no customer with this id.');
    return { id, state: summaries.length ? 'answered' : 'failed', summaries, problems };
  } catch (reason) {
    return { id, state: 'failed', summaries: [], problems: [reason instanceof Error ? reason.message : String(reason)] };
  }
}

/**
 * useSummary is what to draw: the summaries of the latest answer, or, where it has none or somebody chose a customer,
 * those that ask brings. A new answer with summaries takes over.
 */
export function useSummary(session: Session, response: unknown, customerId: string | null | undefined) {
  const given = useMemo(() => summariesOf(response), [response]);
  const [asked, setAsked] = useState<Asked>();
  const turn = useRef<{ session: Session; id: string }>(undefined);

  const ask = useCallback((id: string) => {
    const mine = { session, id };
    turn.current = mine;
    setAsked((before) => ({ id, state: 'asking', summaries: before?.id === id ? before.summaries : [], problems: [] }));
    void askFor(session, id).then((answer) => {
      if (turn.current === mine) setAsked(answer); // an earlier question's answer may come late
    });
  }, [session]);

  useEffect(() => {
    turn.current = undefined;
    setAsked(undefined);
  }, [given, session]);

  useEffect(() => {
    const known = turn.current?.session === session && turn.current.id === customerId;
    if (given.length === 0 && customerId && !known) ask(customerId);
  }, [given, session, customerId, ask]);

  return { summaries: asked ? asked.summaries : given, asked, ask, given: !asked };
}
