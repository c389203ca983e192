import { useEffect, useState } from 'react';

/**
 * useElement puts an element of ours into one of GraphiQL's, which has no place for parts of other people. It is
 * the first or the last within, and is gone when the component is.
 */
export function useElement(within: string, className: string, at: 'prepend' | 'append'): HTMLElement | null {
  const [element, setElement] = useState<HTMLElement | null>(null);
  useEffect(() => {
    const parent = document.querySelector(within);
    if (!parent) return;
    const made = document.createElement('div');
    made.className = className;
    parent[at](made);
    setElement(made);
    return () => {
      made.remove();
      setElement(null);
    };
  }, [within, className, at]);
  return element;
}
