import { buildSchema, graphqlSync } from 'graphql';
import { expect, test } from 'vitest';
import type { Answer } from '../../session';
import { fakeSession } from '../testing/session';
import { loadKinds, noKinds } from './kinds';

function sessionOf(streams: string) {
  const schema = buildSchema(`
    enum EventType { LOAN_CREATED UNKNOWN }
    enum CreditProvider { CARBON KREDETE UNKNOWN }
    type Provider { status: String }
    type News { provider: Provider! }
    type Query { a: Int }
    type Subscription { events: Int ${streams} }`);
  return fakeSession((source) => graphqlSync({ schema, source }) as Answer<unknown>);
}

test.each([
  ['', 'asked'],
  ['providerHealth: Provider!', 'provider'],
  ['providerHealth: [Provider!]!', 'provider'],
  ['providerHealth: News!', 'inside'],
  ['providerHealth: [News!]!', 'inside'],
])('of the stream "%s" it knows: %s', async (streams, health) => {
  expect(await loadKinds(sessionOf(streams))).toEqual({ types: ['LOAN_CREATED'], providers: ['CARBON', 'KREDETE'], health });
});

test('who may not see the schema gets along without', async () => {
  const mobile = { ...sessionOf(''), scopes: ['read:customers'] };
  expect(await loadKinds(mobile)).toEqual(noKinds);
  expect(mobile.asked).toEqual([]); // an answer of 400 would stand in the browser's log
  expect(await loadKinds(fakeSession(() => ({ errors: [{ message: 'No.' }] })))).toEqual(noKinds);
  expect(await loadKinds(fakeSession(() => { throw new Error('away'); }))).toEqual(noKinds);
});
