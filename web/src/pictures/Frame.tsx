import { type KeyboardEvent, type ReactNode, useState } from 'react';

/** Frame is what stands around each pane. It can be enlarged to the whole window; Escape makes it small again. */
export function Frame({ label, className = '', children }: { label: string; className?: string; children: ReactNode }) {
  const [large, setLarge] = useState(false);
  const leave = (event: KeyboardEvent) => {
    const typing = event.target instanceof HTMLInputElement; // there, Escape empties the field
    if (event.key === 'Escape' && !typing) setLarge(false);
  };
  return (
    <section className={`pictures ${className}`} aria-label={label} data-large={large} onKeyDown={leave}>
      <button type="button" className="pic-enlarge" aria-pressed={large} onClick={() => setLarge(!large)}>Enlarge</button>
      {children}
    </section>
  );
}
