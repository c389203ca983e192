// Links that share an operation. It stands behind the "#", which browsers send to nobody. Headers and tokens are not
// part of it, and an operation from a link is shown, never run.

/** Shared is what a link carries. */
export interface Shared {
  query: string;
  variables?: string;
}

/** linkTo is the address that shows an operation. */
export function linkTo(page: string, shared: Shared): string {
  const fragment = new URLSearchParams({ query: shared.query });
  if (shared.variables?.trim()) fragment.set('variables', shared.variables);
  return `${page}#${fragment}`;
}

/** sharedIn is the operation that an address carries; null where it carries none. */
export function sharedIn(fragment: string): Shared | null {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''));
  const query = parameters.get('query');
  return query ? { query, variables: parameters.get('variables') ?? undefined } : null;
}
