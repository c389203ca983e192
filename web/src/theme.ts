// Dark or light, as the person or the machine wants it.
import { useEffect, useState } from 'react';

/** Theme is what the person chose. */
export type Theme = 'system' | 'dark' | 'light';

const kept = 'creditgraph.theme';

/** useTheme is the chosen theme, which also stands on the page's root element. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const stored = localStorage.getItem(kept);
    return stored === 'dark' || stored === 'light' ? stored : 'system';
  });
  useEffect(() => {
    localStorage.setItem(kept, theme);
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [theme, setTheme];
}
