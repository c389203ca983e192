// What of an answer the summary pane draws. An answer may have asked for less than everything, and providers may have
// left parts out: Part keeps "not asked for", "not there" and "there" apart.
import type { Money } from '../money';

/** Part is one part of a summary: not in the document, missing, or there. */
export type Part<T> = { state: 'unasked' } | { state: 'missing'; errors: string[] } | { state: 'there'; value: T };

/** Score is a credit score as far as the document asked for it. */
export interface Score {
  id?: string;
  provider?: string;
  value?: string;
  scale?: { min: string; max: string; assumed?: boolean } | null;
  normalized?: string | null;
  band?: string | null;
  providerBand?: string | null;
  riskCategory?: string | null;
  providerRisk?: string | null;
  probabilityOfDefault?: string | null;
  recommendedLimit?: Partial<Money> | null;
  recommendedTenureDays?: number | null;
  factors?: { factor?: string | null; impact?: string | null; description?: string | null }[];
  scoredAt?: string | null;
  validUntil?: string | null;
}

/** Exposure is what is owed in one currency. */
export interface Exposure {
  currency: string;
  activeLoanCount?: number;
  outstanding?: Money;
  overdue?: Money;
}

/** CreditLine is a line that a provider grants. */
export interface CreditLine {
  provider?: string;
  state?: string | null;
  providerState?: string | null;
  limit?: Money;
  available?: Money;
  outstanding?: Money;
  applyUrl?: string | null;
}

/** Bureau is a credit report in figures. */
export interface Bureau {
  reportNumber?: string | null;
  orderedOn?: string | null;
  openFacilities?: number | null;
  totalOutstanding?: Money;
  amountOverdue?: Money;
  enquiriesLast12Months?: number | null;
}

/** Source says what became of a provider's part. */
export interface Source {
  provider: string;
  status: string;
  asOf?: string | null;
  error?: { code?: string; message?: string; retryable?: boolean } | null;
}

/** Summary is one customer's, ready to draw. */
export interface Summary {
  customerId?: string;
  name: string;
  kycStatus?: string;
  asOf?: string;
  bestId?: string;
  scores: Part<Score[]>;
  exposure: Part<Exposure[]>;
  creditLines: Part<CreditLine[]>;
  bureau: Part<Bureau>;
  sources: Part<Source[]>;
  /** errors of the answer that concern this customer, each once. */
  errors: string[];
}

type Fields = Record<string, unknown>;
type Path = (string | number)[];
interface AnswerError { message: string; path?: Path }

/** summariesOf finds the summaries in an answer, given as an object or as its text; none in what is no answer. */
export function summariesOf(response: unknown): Summary[] {
  const answer = typeof response === 'string' ? parsed(response) : response;
  if (!isFields(answer)) return [];
  const errors = Array.isArray(answer.errors) ? (answer.errors as AnswerError[]) : [];
  const found: Summary[] = [];
  walk(answer.data, [], (customer, path) => found.push(summaryOf(customer, errorsBelow(errors, path), path)));
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // what the editor shows while it waits is no JSON
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** walk finds the objects that hold a summary. */
function walk(value: unknown, path: Path, found: (customer: Fields, path: Path) => void) {
  if (Array.isArray(value)) return value.forEach((entry, i) => walk(entry, [...path, i], found));
  if (!isFields(value)) return;
  if (isFields(value.creditSummary)) return found(value, path);
  for (const [name, entry] of Object.entries(value)) walk(entry, [...path, name], found);
}

function errorsBelow(errors: AnswerError[], path: Path): AnswerError[] {
  return errors.filter((error) => path.every((step, i) => error.path?.[i] === step));
}

function summaryOf(customer: Fields, errors: AnswerError[], path: Path): Summary {
  const summary = customer.creditSummary as Fields;
  const part = <T>(name: string): Part<T> => partOf<T>(summary, name, errorsBelow(errors, [...path, 'creditSummary', name]));
  const bureau = part<Bureau>('bureau');
  if (bureau.state === 'there') withCurrency(bureau.value, 'totalOutstanding', 'amountOverdue');
  return {
    customerId: text(customer.id), name: text(customer.fullName) ?? 'Customer', kycStatus: text(customer.kycStatus),
    asOf: text(summary.asOf), bestId: isFields(summary.bestScore) ? text(summary.bestScore.id) : undefined,
    scores: scoresOf(summary, part<Score[]>('scores')),
    exposure: each(part<Exposure[]>('exposure'), (entry) => withCurrency(entry, 'outstanding', 'overdue')),
    creditLines: each(part<CreditLine[]>('creditLines'), (line) => withCurrency(line, 'limit', 'available', 'outstanding')),
    bureau, sources: part<Source[]>('sources'),
    errors: [...new Set(errors.map((error) => error.message))],
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function partOf<T>(summary: Fields, name: string, errors: AnswerError[]): Part<T> {
  if (!(name in summary)) return { state: 'unasked' };
  if (summary[name] === null) return { state: 'missing', errors: errors.map((error) => error.message) };
  return { state: 'there', value: structuredClone(summary[name]) as T };
}

/** scoresOf falls back on the best score, where a document asks for no other. */
function scoresOf(summary: Fields, scores: Part<Score[]>): Part<Score[]> {
  if (scores.state !== 'unasked' || !isFields(summary.bestScore)) return scores;
  return { state: 'there', value: [structuredClone(summary.bestScore) as Score] };
}

function each<T>(part: Part<T[]>, change: (entry: T) => void): Part<T[]> {
  if (part.state === 'there') part.value.forEach(change);
  return part;
}

/**
 * withCurrency gives the amounts of one object the currency that a document asked for but once: of an exposure its own,
 * of others that of the amount beside. All amounts of one object are of one currency. Those without any are taken out.
 */
function withCurrency(owner: object, ...names: string[]) {
  const fields = owner as Fields;
  const amounts = names.map((name) => fields[name]).filter(isFields);
  const currency = text(fields.currency) ?? amounts.map((amount) => text(amount.currency)).find(Boolean);
  for (const name of names) {
    const amount = fields[name];
    if (!isFields(amount) || text(amount.amount) === undefined || !currency) delete fields[name];
    else amount.currency ??= currency;
  }
}
