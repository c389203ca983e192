import { useEffect, useState } from 'react';

/** useNow is the time, looked at again every so often: for what says "3 minutes ago". */
export function useNow(every = 10_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
