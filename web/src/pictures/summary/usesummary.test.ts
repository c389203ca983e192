import { expect, test } from 'vitest';
import { fakeSession } from '../testing/session';
import { askFor } from './usesummary';

test('askFor brings the summary', async () => {
  const session = fakeSession(() => ({ data: { customer: { id: 'c1', fullName: 'Ada Example', creditSummary: { sources: [] } } } }));
  expect(await askFor(session, 'c1')).toMatchObject({ state: 'answered', summaries: [{ customerId: 'c1' }], problems: [] });
  expect(session.asked[0].variables).toEqual({ id: 'c1' });
});

test.each([
  ['an error', () => ({ data: { customer: null }, errors: [{ message: 'Not yours.' }] }), 'Not yours.'],
  ['nobody', () => ({ data: { customer: null } }), 'There is no customer with this id.'],
  ['no answer', () => { throw new Error('The network is away.'); }, 'The network is away.'],
])('askFor says why there is none: %s', async (_, answer, problem) => {
  expect(await askFor(fakeSession(answer), 'c1')).toEqual({ id: 'c1', state: 'failed', summaries: [], problems: [problem] });
});
