// What the schema's directives say of scopes. Introspection leaves directives out, so that they come from a list that is
// made of the schema's source; a test compares the two.
import known from './scopes.json';

const { requires, nodes, masked } = known as { requires: Record<string, string>; nodes: Record<string, string>; masked: string[] };
const maskedFields = new Set(masked);

/** scopeOf is the scope that a field needs: "CreditSummary.scores", "read:scores". */
export function scopeOf(field: string): string | undefined {
  return written(requires[field]);
}

/** nodeScopeOf is the scope that is needed to find an object of a type by its id. */
export function nodeScopeOf(type: string): string | undefined {
  return written(nodes[type]);
}

/** personal tells whether a field is masked for tokens without read:pii. */
export function personal(field: string): boolean {
  return maskedFields.has(field);
}

function written(scope: string | undefined): string | undefined {
  return scope?.toLowerCase().replace('_', ':');
}
