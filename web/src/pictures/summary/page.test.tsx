import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { summariesOf } from './model';
import { SummaryPage } from './SummaryPage';

const now = Date.parse('2026-05-01T12:00:00Z');

/** page is the text of a summary's page, and the names of its pictures, without markup. */
function page(creditSummary: object, errors?: object[]): string {
  const [summary] = summariesOf({ data: { customer: { id: 'c1', fullName: 'Ada Example', creditSummary } }, errors });
  const html = renderToStaticMarkup(<SummaryPage summary={summary} now={now} />);
  const names = [...html.matchAll(/aria-label="([^"]*)"/g)].map((match) => match[1]);
  return [html.replace(/<title>[^<]*<\/title>/g, '').replace(/<[^>]*>/g, ' '), ...names].join(' ').replace(/[\s\u00a0]+/g, ' ');
}

test('a score stands on its scale, with what the provider says of it', () => {
  const text = page({ scores: [{
    id: 's', provider: 'KREDETE', value: '735', scale: { min: '300', max: '850', assumed: true }, normalized: '0.7909', band: 'GOOD',
    riskCategory: 'UNKNOWN', providerRisk: 'MID-LOW', probabilityOfDefault: '0.03', recommendedLimit: { amount: '787500.00', currency: 'NGN' },
    recommendedTenureDays: 180, scoredAt: '2026-05-01T11:40:00Z', validUntil: '2026-05-08T12:00:00Z',
    factors: [{ factor: 'payment_history', impact: 'NEGATIVE', description: 'Paid late' }],
  }], bestScore: { id: 's' } });
  for (const part of ['Kredete', 'Best', 'Good', '735', 'scale assumed', '735 on a scale from 300 to 850', '79.09 %', 'MID-LOW', '3 %', '787,500.00 for 180 days', '20 minutes ago', 'in 7 days', 'Negative', 'Paid late']) {
    expect(text).toContain(part);
  }
  expect(text).not.toContain('Expired');
});

test('a score that has run out says so, and one without a scale has none', () => {
  const text = page({ scores: [{ provider: 'ONE_PIPE', value: '8', scale: null, validUntil: '2026-04-01T12:00:00Z' }] });
  expect(text).toContain('Expired');
  expect(text).toContain('scale is not known');
  expect(page({ scores: [{ value: '12', scale: { min: '0', max: '10' } }] })).toContain('lies outside its scale');
});

test('what is owed stands by currency, with what is overdue of it', () => {
  const text = page({ exposure: [
    { currency: 'NGN', activeLoanCount: 1, outstanding: { amount: '508833.00' }, overdue: { amount: '254417.00' } },
    { currency: 'INR', activeLoanCount: 2, outstanding: { amount: '1000.00' }, overdue: { amount: '0.00' } },
  ] });
  for (const part of ['NGN 508,833.00', '254,417.00 overdue', '1 active loan', '₹1,000.00', 'Nothing overdue', '2 active loans']) expect(text).toContain(part);
  expect(text).not.toContain('509,833'); // amounts of two currencies have no sum
});

test('a provider that could not be asked costs its section alone, and says why', () => {
  const text = page(
    { scores: null, exposure: [], sources: [
      { provider: 'KREDETE', status: 'UNAVAILABLE', asOf: '2026-05-01T10:00:00Z', error: { message: 'Kredete does not answer.', retryable: true } },
      { provider: 'CARBON', status: 'NOT_LINKED', asOf: null },
    ] },
    [{ message: 'Scores are away.', path: ['customer', 'creditSummary', 'scores'] }],
  );
  for (const part of ['Could not be had: Scores are away.', 'Nothing is owed.', 'Unavailable', 'last heard 2 hours ago', 'Kredete does not answer. Asking again may help.', 'Not linked']) {
    expect(text).toContain(part);
  }
});

test('what was not asked for is left out, and what is not there is not taken for missing', () => {
  const text = page({ bureau: null, creditLines: [] });
  expect(text).toContain('There is no report.');
  expect(text).toContain('No provider grants a line.');
  expect(text).not.toContain('Scores');
  expect(text).not.toContain('Could not be had');
});

test('a credit line is drawn up to what was taken', () => {
  const text = page({ creditLines: [{
    provider: 'KREDMINT', state: 'UNKNOWN', providerState: 'FROZEN', limit: { amount: '1000000.00', currency: 'INR' },
    available: { amount: '789000.00' }, outstanding: { amount: '211000.00' },
  }] });
  for (const part of ['FROZEN', '₹211,000.00 drawn of ₹1,000,000.00', '₹789,000.00']) expect(text).toContain(part);
});
