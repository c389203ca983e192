import { describe, expect, test } from 'vitest';
import { summariesOf } from './model';

const source = { provider: 'KREDETE', status: 'FRESH' };

function answer(creditSummary: object, errors?: object[]) {
  return { data: { customer: { id: 'c1', fullName: 'Ada Example', kycStatus: 'VERIFIED', creditSummary } }, errors };
}

describe('summariesOf', () => {
  test('finds the one of a customer, in an object and in text', () => {
    const given = answer({ asOf: '2026-05-01T12:00:00Z', bestScore: { id: 's1' }, sources: [source] });
    for (const response of [given, JSON.stringify(given)]) {
      const [summary, ...others] = summariesOf(response);
      expect(others).toEqual([]);
      expect(summary).toMatchObject({ customerId: 'c1', name: 'Ada Example', kycStatus: 'VERIFIED', asOf: '2026-05-01T12:00:00Z', bestId: 's1' });
      expect(summary.sources).toEqual({ state: 'there', value: [source] });
    }
  });

  test('finds those of a table, each with its own errors', () => {
    const row = (id: string, scores: unknown) => ({ node: { id, fullName: id, creditSummary: { scores } } });
    const response = {
      data: { customers: { edges: [row('a', []), row('b', null)] } },
      errors: [{ message: 'Not for you.', path: ['customers', 'edges', 1, 'node', 'creditSummary', 'scores'] }],
    };
    const [a, b] = summariesOf(response);
    expect(a).toMatchObject({ name: 'a', errors: [], scores: { state: 'there', value: [] } });
    expect(b).toMatchObject({ name: 'b', errors: ['Not for you.'], scores: { state: 'missing', errors: ['Not for you.'] } });
  });

  test.each([[undefined], [null], [''], ['{"data":'], [[]], [{ data: null }], [{ data: { viewer: {} } }], [answer(null as never)]])('finds none in %j', (response) => {
    expect(summariesOf(response)).toEqual([]);
  });

  test('keeps unasked, missing and empty apart', () => {
    const [summary] = summariesOf(answer({ exposure: [], bureau: null }));
    expect(summary.exposure).toEqual({ state: 'there', value: [] });
    expect(summary.bureau).toEqual({ state: 'missing', errors: [] });
    expect(summary.creditLines).toEqual({ state: 'unasked' });
  });

  test('draws the best score where no other was asked for', () => {
    const [summary] = summariesOf(answer({ bestScore: { provider: 'CARBON', value: '7' } }));
    expect(summary.scores).toEqual({ state: 'there', value: [{ provider: 'CARBON', value: '7' }] });
  });

  test('gives amounts the currency that stands beside them, and no other', () => {
    const response = answer({
      exposure: [{ currency: 'NGN', outstanding: { amount: '5.00' } }, { currency: 'INR', outstanding: { amount: '7.00' } }],
      creditLines: [{ limit: { amount: '9.00', currency: 'INR' }, available: { amount: '8.00' } }, { limit: { amount: '1.00' } }],
    });
    const [summary] = summariesOf(response);
    expect(summary.exposure).toMatchObject({ value: [{ outstanding: { amount: '5.00', currency: 'NGN' } }, { outstanding: { currency: 'INR' } }] });
    expect(summary.creditLines).toEqual({
      state: 'there', value: [{ limit: { amount: '9.00', currency: 'INR' }, available: { amount: '8.00', currency: 'INR' } }, {}],
    });
    expect(response.data.customer.creditSummary).not.toHaveProperty('exposure.0.outstanding.currency'); // the answer is the editor's
  });
});
