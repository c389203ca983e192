import { useSyncExternalStore } from 'react';

const query = '(max-width: 700px)';

/** useNarrow tells whether the window is as narrow as a telephone's. */
export function useNarrow(): boolean {
  return useSyncExternalStore(listen, () => matchMedia(query).matches);
}

function listen(onChange: () => void): () => void {
  const list = matchMedia(query);
  list.addEventListener('change', onChange);
  return () => list.removeEventListener('change', onChange);
}
