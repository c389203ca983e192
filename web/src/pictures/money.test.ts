import { describe, expect, test } from 'vitest';
import { formatMoney, isZero, percent, permille, place } from './money';

describe('formatMoney', () => {
  test.each([
    ['500000.00', 'NGN', 'NGN 500,000.00'],
    ['90071992547409931234.57', 'NGN', 'NGN 90,071,992,547,409,931,234.57'], // no floating-point number has these digits
    ['1000', 'JPY', '¥1,000'],
    ['0.050', 'KWD', 'KWD 0.050'],
    ['-12.30', 'INR', '-₹12.30'],
  ])('%s %s', (amount, currency, want) => {
    expect(formatMoney({ amount, currency }, 'en').replaceAll('\u00a0', ' ')).toBe(want);
  });

  test('keeps what it cannot read', () => {
    expect(formatMoney({ amount: 'a lot', currency: 'NGN' }, 'en')).toBe('a lot NGN');
    expect(formatMoney({ amount: '1.00', currency: 'UNKNOWN' }, 'en')).toBe('1.00 UNKNOWN');
  });
});

test.each([
  ['211000.00', '1000000.00', 211],
  ['1', '3.000', 333],
  ['0.00', '5.00', 0],
  ['7', '5', 1000], // more than all is all
  ['-1', '5', 0],
  ['9007199254740993', '9007199254740993', 1000],
  ['1', '0.00', undefined],
  ['x', '1', undefined],
])('permille of %s in %s', (part, whole, want) => expect(permille(part, whole)).toBe(want));

test.each([
  ['575', '300', '850', 500],
  ['300', '300', '850', 0],
  ['850', '300', '850', 1000],
  ['8', '0', '10', 800],
  ['7.5', '0', '10', 750],
  ['299', '300', '850', undefined],
  ['851', '300', '850', undefined],
  ['5', '5', '5', undefined],
])('place of %s between %s and %s', (value, min, max, want) => expect(place(value, min, max)).toBe(want));

test.each([
  ['0.7909', '79.09 %'], ['0.03', '3 %'], ['1', '100 %'], ['0', '0 %'], ['0.8000', '80 %'], ['0.005', '0.5 %'], ['0.1', '10 %'], ['much', 'much'],
])('percent of %s', (text, want) => expect(percent(text).replace('\u00a0', ' ')).toBe(want));

test('isZero reads digits', () => {
  expect(['0', '0.00', '-0.0'].map(isZero)).toEqual([true, true, true]);
  expect(['0.01', 'none'].map(isZero)).toEqual([false, false]);
});
