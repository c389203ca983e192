// Where somebody has been in the schema, with the way back and forth.

/** View is which type is looked at, and which types are open in the picture. */
export interface View {
  focus: string;
  open: string[];
}

/** Trail is the view of now, what came before it and what somebody went back from. */
export interface Trail {
  past: View[];
  now: View;
  future: View[];
}

/** Move is a step on the trail. */
export type Move =
  | { kind: 'visit'; type: string }
  | { kind: 'close'; type: string }
  | { kind: 'back' }
  | { kind: 'forward' }
  | { kind: 'restart'; view: View };

const longest = 100; // views to go back

/** startOf is where looking at a schema begins: at its root and, where there is one, the customer. */
export function startOf(root: string, has: (type: string) => boolean): View {
  return has('Customer') ? { focus: 'Customer', open: [root, 'Customer'] } : { focus: root, open: [root] };
}

/** trailFrom is a trail that has only begun. */
export function trailFrom(view: View): Trail {
  return { past: [], now: view, future: [] };
}

/** nextTrail is the trail after a move. A move that leads nowhere leaves it as it is. */
export function nextTrail(trail: Trail, move: Move): Trail {
  const { past, now, future } = trail;
  switch (move.kind) {
    case 'visit': return go(trail, { focus: move.type, open: now.open.includes(move.type) ? now.open : [...now.open, move.type] });
    case 'close': return go(trail, { focus: now.focus, open: now.open.filter((type) => type !== move.type) });
    case 'back': return past.length === 0 ? trail : { past: past.slice(0, -1), now: past[past.length - 1], future: [now, ...future] };
    case 'forward': return future.length === 0 ? trail : { past: [...past, now], now: future[0], future: future.slice(1) };
    case 'restart': return trailFrom(move.view);
  }
}

function go(trail: Trail, view: View): Trail {
  const { now } = trail;
  if (view.focus === now.focus && view.open.length === now.open.length) return trail;
  return { past: [...trail.past, now].slice(-longest), now: view, future: [] };
}
