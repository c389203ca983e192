import { describe, expect, it } from 'vitest';
import { askForIds, fill, idsFrom } from '../src/ids';

const customer = (id: string, ...providers: string[]) => ({ node: { id, identities: providers.map((provider) => ({ provider, externalId: `${id}-${provider}` })), suppliers: [{ id: `${id}-s` }] } });

describe('ids', () => {
  it('prefer the own customer to the known, and the known to any', () => {
    const known = { edges: [customer('known', 'CARBON')] };
    const customers = { edges: [customer('any', 'TRUST_DECISION'), customer('other')] };
    expect(idsFrom({ own: customer('own').node, known, customers }).customer).toBe('own');
    expect(idsFrom({ own: null, known, customers })).toMatchObject({ customer: 'known', supplier: 'known-s', 'carbon id': 'known-CARBON' });
    expect(idsFrom({ known: { edges: [] }, customers })).toMatchObject({ customer: 'any', 'customer unknown to the bureau': 'other', 'customer unknown to kredmint': 'any' });
    expect(idsFrom({}).customer).toBeUndefined();
    expect([askForIds('c'), askForIds()]).toEqual([{ own: 'c', bound: true }, { own: '', bound: false }]);
  });
});

describe('fill', () => {
  it('makes keys anew each time', () => {
    const keys = [1, 2].map(() => (fill({ input: { idempotencyKey: 'k-1' } }, {}).variables as { input: { idempotencyKey: string } }).input.idempotencyKey);
    expect(keys[0]).not.toBe(keys[1]);
    expect(keys[0]).toMatch(/^explorer-.{36}$/);
  });

  it('says what is missing, and leaves its place', () => {
    expect(fill({ id: '<loan>', list: ['<customer>', 5, null] }, { customer: 'c' })).toEqual({ variables: { id: '<loan>', list: ['c', 5, null] }, missing: ['loan'] });
  });

  it.each([
    ['<now>', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/], ['<today>', /^\d{4}-\d\d-\d\d$/], ['<bvn>', /^[1-9]\d{10}$/], ['<mobile>', /^9\d{9}$/],
    ['<email>', /^explorer\.\d{8}@example\.com$/], ['<phone>', /^\+23480\d{8}$/], ['<reference>', /^TRY-\d{8}$/],
  ])('%s', (place, want) => expect(fill(place, {}).variables).toMatch(want));
});
