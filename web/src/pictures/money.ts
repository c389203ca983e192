// Money as people read it. Amounts come as exact decimals in text and stay text: no arithmetic of this file goes through
// floating point.

/** Money is an amount as the graph sends it. */
export interface Money {
  amount: string;
  currency: string;
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/;

/** formatMoney writes an amount with its currency, with as many decimal places as the graph sent. */
export function formatMoney(money: Money, locale?: string): string {
  const match = decimal.exec(money.amount);
  if (!match) return `${money.amount} ${money.currency}`;
  const places = match[3]?.length ?? 0;
  try {
    const format = new Intl.NumberFormat(locale, {
      style: 'currency', currency: money.currency, minimumFractionDigits: places, maximumFractionDigits: places,
    });
    return format.format(money.amount as Intl.StringNumericLiteral);
  } catch (reason) {
    if (reason instanceof RangeError) return `${money.amount} ${money.currency}`; // no such currency in this browser
    throw reason;
  }
}

/** Exact is a decimal as a whole number of the places that it has. */
interface Exact {
  units: bigint;
  places: number;
}

function parse(text: string): Exact | undefined {
  const match = decimal.exec(text);
  if (!match) return undefined;
  const fraction = match[3] ?? '';
  return { units: BigInt(`${match[1]}${match[2]}${fraction}`), places: fraction.length };
}

/** permille is how many thousandths of whole part is, from 0 to 1000; undefined where that makes no sense. */
export function permille(part: string, whole: string): number | undefined {
  const [a, b] = [parse(part), parse(whole)];
  if (!a || !b) return undefined;
  const places = Math.max(a.places, b.places);
  const [units, all] = [scaled(a, places), scaled(b, places)];
  if (all <= 0n) return undefined;
  const share = (units * 1000n) / all;
  return Number(share < 0n ? 0n : share > 1000n ? 1000n : share);
}

function scaled({ units, places }: Exact, to: number): bigint {
  return units * 10n ** BigInt(to - places);
}

/** place is where value lies between min and max, in thousandths; undefined where it lies outside or nowhere. */
export function place(value: string, min: string, max: string): number | undefined {
  const [v, low, high] = [parse(value), parse(min), parse(max)];
  if (!v || !low || !high) return undefined;
  const places = Math.max(v.places, low.places, high.places);
  const [at, from, to] = [scaled(v, places), scaled(low, places), scaled(high, places)];
  if (from >= to || at < from || at > to) return undefined;
  return Number(((at - from) * 1000n) / (to - from));
}

/** isZero tells whether an amount is nothing. */
export function isZero(text: string): boolean {
  return parse(text)?.units === 0n;
}

/** percent writes a part of one, as "0.0312", in hundredths: "3.12 %". It moves the point and rounds nothing. */
export function percent(text: string): string {
  const match = decimal.exec(text);
  if (!match) return text;
  const digits = `${match[2]}${(match[3] ?? '').padEnd(2, '0')}`;
  const point = match[2].length + 2;
  const whole = digits.slice(0, point).replace(/^0+(?=\d)/, '');
  const rest = digits.slice(point).replace(/0+$/, '');
  return `${match[1]}${whole}${rest && `.${rest}`}\u00a0%`;
}
