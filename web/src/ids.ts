// Fills the places in an operation's variables, so that it can be run as it stands.

/** Ids are what there is to fill places with: the first of its kind in this world. */
export type Ids = Partial<Record<string, string>>;

/** idsQuery asks for them. A part that the token may not read is null, and its places stay open. */
export const idsQuery = `query ExplorerIds($own: ID!, $bound: Boolean!) {
  own: customer(id: $own) @include(if: $bound) { id identities { provider externalId } suppliers { id } }
  known: customers(first: 1, filter: { linked: [KREDETE, CARBON, KREDMINT, ONE_PIPE, TRUST_DECISION], status: [ACTIVE] }) {
    edges { node { id identities { provider externalId } suppliers { id } } }
  }
  customers(first: 100) { edges { node { id identities { provider externalId } } } }
  loans(first: 1) { edges { node { id } } }
  toDecide: loans(first: 1, filter: { providers: [KREDETE], status: [PENDING_REVIEW] }) { edges { node { id } } }
  toPayOut: loans(first: 1, filter: { providers: [KREDETE], status: [APPROVED] }) { edges { node { id } } }
  toRepay: loans(first: 1, filter: { providers: [KREDETE], status: [DISBURSED, ACTIVE] }) { edges { node { id } } }
  operations(first: 1) { edges { node { id } } }
  forPassword: operations(first: 1, filter: { status: [AWAITING_OTP] }) { edges { node { id } } }
  forInformation: operations(first: 1, filter: { status: [AWAITING_INFO] }) { edges { node { id } } }
  inDoubt: operations(first: 1, filter: { status: [OUTCOME_UNKNOWN] }) { edges { node { id } } }
}`;

interface CustomerRow {
  id: string;
  identities: { provider: string; externalId: string }[] | null;
  suppliers?: { id: string }[] | null;
}

interface Page<T> {
  edges: { node: T }[];
}

/** IdsAnswer is what idsQuery is answered with. */
export type IdsAnswer = {
  own?: CustomerRow | null;
  known?: Page<CustomerRow> | null;
  customers?: Page<CustomerRow> | null;
} & Partial<Record<'loans' | 'toDecide' | 'toPayOut' | 'toRepay' | 'operations' | 'forPassword' | 'forInformation' | 'inDoubt', Page<{ id: string }> | null>>;

/** askForIds are idsQuery's variables. customerId is whom to prefer to others, where there is such a customer. */
export function askForIds(customerId?: string) {
  return { own: customerId ?? '', bound: customerId !== undefined };
}

/** idsFrom reads an answer. */
export function idsFrom(answer: IdsAnswer): Ids {
  const customer = answer.own ?? answer.known?.edges[0]?.node ?? answer.customers?.edges[0]?.node;
  const at = (provider: string) => customer?.identities?.find((identity) => identity.provider === provider)?.externalId;
  const without = (provider: string) =>
    answer.customers?.edges.find(({ node }) => !node.identities?.some((identity) => identity.provider === provider))?.node.id;
  const first = (page?: Page<{ id: string }> | null) => page?.edges[0]?.node.id;
  return {
    customer: customer?.id,
    any: customer?.id,
    supplier: customer?.suppliers?.[0]?.id,
    'carbon id': at('CARBON'),
    'customer unknown to the bureau': without('TRUST_DECISION'),
    'customer unknown to kredmint': without('KREDMINT'),
    'onepipe id': at('ONE_PIPE'),
    loan: first(answer.loans),
    'loan to decide': first(answer.toDecide),
    'loan to pay out': first(answer.toPayOut),
    'loan to repay': first(answer.toRepay),
    operation: first(answer.operations),
    'operation that waits for a password': first(answer.forPassword),
    'operation that waits for information': first(answer.forInformation),
    'operation in doubt': first(answer.inDoubt),
  };
}

const place = /^<([a-z ]+)>$/;

/** placesIn are the names of the places in variables. */
export function placesIn(variables: unknown): string[] {
  return [...JSON.stringify(variables ?? {}).matchAll(/"<([a-z ]+)>"/g)].map((match) => match[1]);
}

/** Filled are variables that can be sent, but for the places that are missing. */
export interface Filled {
  variables: unknown;
  missing: string[];
}

/** fill puts ids into places. Keys of idempotency are made anew each time: an old one would only repeat an answer. */
export function fill(variables: unknown, ids: Ids): Filled {
  const missing: string[] = [];
  const filled = replace(variables, (name, text) => {
    if (name === 'idempotencyKey') return freshKey();
    const match = place.exec(text);
    if (!match) return text;
    const known = made(match[1]);
    if (known !== undefined) return known;
    const id = ids[match[1]];
    if (id === undefined) missing.push(match[1]);
    return id ?? text;
  });
  return { variables: filled, missing };
}

/** replace goes over all texts of a value. */
function replace(value: unknown, by: (name: string, text: string) => unknown, name = ''): unknown {
  if (typeof value === 'string') return by(name, value);
  if (Array.isArray(value)) return value.map((item) => replace(item, by, name));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item, by, key)]));
  }
  return value;
}

/** made is what a place is filled with that asks for nothing of the world; undefined for the others. */
function made(name: string): unknown {
  switch (name) {
    case 'key':
      return freshKey();
    case 'reference':
      return `TRY-${digits(8)}`;
    case 'now':
      return new Date(Date.now() - 1000).toISOString().replace(/\.\d+Z$/, 'Z');
    case 'today':
      return new Date().toISOString().slice(0, 10);
    case 'email':
      return `explorer.${digits(8)}@example.com`;
    case 'phone':
      return `+23480${digits(8)}`;
    case 'nin':
    case 'bvn':
      return digits(11);
    case 'mobile':
      return `9${digits(9)}`;
    case 'upload':
      return null; // the file goes beside the variables
    default:
      return undefined;
  }
}

function freshKey(): string {
  return `explorer-${crypto.randomUUID()}`;
}

/** digits are random ones, the first of them no zero. */
function digits(count: number): string {
  const random = crypto.getRandomValues(new Uint8Array(count));
  return [...random].map((byte, i) => (i === 0 ? 1 + (byte % 9) : byte % 10)).join('');
}
