import { useEffect, useReducer, useState } from 'react';
import type { Session } from '../../session';
import { Follower, type Filter, type FollowState } from './follow';
import { emptyLog, nextLog, type Log, type Step } from './log';

/** Following is what came so far, and how following is doing. */
export interface Following {
  log: Log;
  state: FollowState;
  reason?: string;
  gap: boolean;
}

/** useEvents follows events while its component is shown. Another filter begins a new log. */
export function useEvents(session: Session, filter: Filter): [Following, (step: Step) => void] {
  const [log, step] = useReducer(nextLog, emptyLog);
  const [state, setState] = useState<Pick<Following, 'state' | 'reason'>>({ state: 'connecting' });
  const [gap, setGap] = useState(false);
  useEffect(() => {
    step({ kind: 'clear' });
    setGap(false);
    const follower = new Follower(session, filter, {
      onEvents: (events, before) => step({ kind: 'came', events, before }),
      onState: (state, reason) => setState({ state, reason }),
      onGap: () => setGap(true),
    });
    follower.start();
    return () => follower.stop();
  }, [session, filter]);
  return [{ log, ...state, gap }, step];
}
