// The panes beside the response: the summary, what happens, the schema.
import type { Page } from '@playwright/test';
import { answer, choose, enter, expect, run, test } from './explorer';
import { lowContrast } from './pictures.contrast';

const pane = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

async function show(page: Page, name: 'Summary' | 'Live' | 'Schema') {
  await page.getByRole('tab', { name, exact: true }).click();
}

/** pay records a payment. */
async function pay(page: Page) {
  await choose(page, 'RecordPayment');
  await run(page);
  await expect(answer(page)).toContainText('"status": "SUCCEEDED"');
}

/** draw has the summary of a customer drawn who has something at every provider. */
async function draw(page: Page) {
  await show(page, 'Summary');
  await pane(page, 'Credit summary').getByLabel('Customer').fill('ogunleye');
  await page.getByRole('button', { name: /^Abdullahi Ogunleye/ }).click();
  await expect(page.getByRole('heading', { name: 'Abdullahi Ogunleye' })).toBeVisible();
}

test('a customer is found and the summary drawn, by the keyboard alone', async ({ page }) => {
  await enter(page, 'front end');
  await show(page, 'Summary');
  const summary = pane(page, 'Credit summary');
  await summary.getByLabel('Customer').focus();
  await page.keyboard.type('ogunleye');
  const found = summary.getByRole('button', { name: /^Abdullahi Ogunleye/ });
  await expect(found).toBeVisible();
  for (let i = 0; i < 10 && !(await found.evaluate((node) => node === document.activeElement)); i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(summary.getByRole('heading', { name: 'Abdullahi Ogunleye' })).toBeVisible();
  await expect(summary.getByRole('img', { name: /on a scale from 300 to 850/ })).toBeVisible();
  await expect(summary.getByRole('img', { name: /drawn of ₹/ })).toBeVisible();
  for (const currency of ['INR', 'NGN']) await expect(summary.getByText(currency, { exact: true })).toBeVisible();
  await expect(summary.locator('.summary-sources > li')).toHaveCount(5);
});

test('a new answer with summaries takes the place of what was drawn', async ({ page }) => {
  await enter(page, 'front end');
  await draw(page);
  await page.getByRole('tab', { name: 'Response' }).click();
  await choose(page, 'CustomersTable');
  await run(page);
  await expect(answer(page)).toContainText('"totalCount"');
  await show(page, 'Summary');
  const several = pane(page, 'Credit summary').getByLabel(/The answer has \d+ summaries/);
  await several.selectOption({ index: 1 });
  const name = await several.locator('option').nth(1).textContent();
  await expect(page.getByRole('heading', { name: name! })).toBeVisible();
});

test('an event is there without asking, and waits while the list is paused', async ({ page, context }) => {
  await enter(page, 'analyst');
  await show(page, 'Live');
  const live = pane(page, 'Live');
  await expect(live.getByRole('status').getByText('Live', { exact: true })).toBeVisible();
  await expect(live.locator('.live-providers > li')).toHaveCount(5);
  await expect(live.getByText('0 since this pane opened')).toBeVisible();
  const other = await context.newPage();
  await enter(other, 'front end');
  await pay(other);
  await expect(live.getByText(/^[1-9]\d* since this pane opened/)).toBeVisible();
  await expect(live.getByText(/^[1-9]\d* events? in the last 3 minutes/)).toBeVisible();
  await live.getByRole('button', { name: 'Pause' }).click();
  await pay(other);
  await expect(live.getByRole('status').getByText(/Paused; [1-9]\d* waiting/)).toBeVisible();
  await live.getByRole('button', { name: 'Go on' }).click();
  await expect(live.getByRole('status').getByText(/Paused/)).toHaveCount(0);
  await live.getByLabel('Type').selectOption('PAYMENT_RECEIVED');
  await expect(live.locator('.live-list > li').first()).toBeVisible();
  await expect(live.locator('.live-list > li:not([data-event="PAYMENT_RECEIVED"])')).toHaveCount(0);
});

test('what happens while the connection is cut is not missed', async ({ page, context }) => {
  const sockets: { close: (options: { code: number }) => Promise<void> }[] = [];
  const away = { now: false };
  await page.routeWebSocket('**/graphql', (socket) => {
    if (away.now) return void socket.close({ code: 1012 });
    socket.connectToServer();
    sockets.push(socket);
  });
  await enter(page, 'analyst');
  await show(page, 'Live');
  const live = pane(page, 'Live');
  await live.getByLabel('Type').selectOption('PAYMENT_RECEIVED');
  await expect(live.getByRole('status').getByText('Live', { exact: true })).toBeVisible();
  await expect(live.getByText('0 since this pane opened')).toBeVisible();
  const recorded = live.locator('[data-event="PAYMENT_RECEIVED"][data-source="API"]'); // those that are there before their mutation answers
  const before = await recorded.count();
  away.now = true;
  await Promise.all(sockets.map((socket) => socket.close({ code: 1012 })));
  await expect(live.getByRole('status').getByText('Connection lost; trying again')).toBeVisible();
  const other = await context.newPage();
  await enter(other, 'front end');
  await pay(other);
  away.now = false;
  await expect(live.getByRole('status').getByText('Live', { exact: true })).toBeVisible();
  await expect(recorded).toHaveCount(before + 1);
});

test('who may not follow events is told so', async ({ page }) => {
  await enter(page, 'mobile');
  await show(page, 'Live');
  await expect(pane(page, 'Live').getByRole('status').getByText('Not allowed')).toBeVisible();
  await expect(pane(page, 'Live').getByRole('status').getByText(/read:events/)).toBeVisible();
});

test('the schema is walked through as a picture', async ({ page }) => {
  await enter(page, 'analyst');
  await show(page, 'Schema');
  const schema = pane(page, 'Schema');
  await schema.getByRole('button', { name: 'Enlarge' }).click();
  const loan = schema.locator('.schema-node').getByRole('button', { name: 'Loan', exact: true });
  await expect(loan).toHaveAttribute('aria-expanded', 'false');
  await loan.click();
  await expect(loan).toHaveAttribute('aria-expanded', 'true');
  await expect(schema.getByRole('heading', { name: 'Loan', exact: true })).toBeVisible();
  await schema.getByRole('button', { name: 'Back' }).click();
  await expect(loan).toHaveAttribute('aria-expanded', 'false');
  await expect(schema.getByRole('heading', { name: 'Customer', exact: true })).toBeVisible();
  await schema.getByRole('button', { name: 'Forward' }).click();
  await expect(loan).toHaveAttribute('aria-expanded', 'true');
  await schema.getByRole('button', { name: 'Start over' }).focus();
  await page.keyboard.press('Escape');
  await expect(schema.getByRole('button', { name: 'Enlarge' })).toHaveAttribute('aria-pressed', 'false');
});

test('the schema is searched and listed, and leads to the documentation', async ({ page }) => {
  await enter(page, 'analyst');
  await show(page, 'Schema');
  const schema = pane(page, 'Schema');
  await schema.getByRole('button', { name: 'List' }).click();
  await schema.getByLabel('Find a type or a field').fill('probabilityOf');
  await page.keyboard.press('Enter');
  await expect(schema.getByRole('heading', { name: 'CreditScore', exact: true })).toBeVisible();
  await expect(schema.getByRole('navigation', { name: 'Types' }).getByRole('button', { name: 'CreditScore', exact: true })).toHaveAttribute('aria-current', 'true');
  await expect(schema.locator('.schema-details')).toContainText('read:scores');
  await schema.getByRole('button', { name: 'Open in the documentation' }).click();
  await expect(page.locator('.graphiql-doc-explorer')).toContainText('CreditScore');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`all text can be read: ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await enter(page, 'analyst');
    await draw(page);
    expect(await lowContrast(page)).toEqual([]);
    await show(page, 'Live');
    await expect(page.locator('.live-list > li').first()).toBeVisible();
    await expect(page.locator('.live-providers > li')).toHaveCount(5);
    expect(await lowContrast(page)).toEqual([]);
    await show(page, 'Schema');
    await expect(page.locator('.schema-node').first()).toBeVisible();
    expect(await lowContrast(page)).toEqual([]);
  });
}

test('who prefers less motion gets none', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await enter(page, 'analyst');
  await show(page, 'Live');
  await expect(page.locator('.live-list > li').first()).toBeVisible();
  expect(await page.locator('.live-list > li').first().evaluate((node) => getComputedStyle(node).animationName)).toBe('none');
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });

  test('nothing sticks out', async ({ page }) => {
    await enter(page, 'analyst');
    const sticksOut = () => page.evaluate(() => [document.documentElement, ...document.querySelectorAll('.pictures')].map((node) => node.scrollWidth - node.clientWidth));
    await draw(page);
    expect(await sticksOut()).toEqual([0, 0]);
    await show(page, 'Live');
    await expect(page.locator('.live-list > li').first()).toBeVisible();
    expect(await sticksOut()).toEqual([0, 0]);
    await show(page, 'Schema');
    await expect(page.getByRole('navigation', { name: 'Types' })).toBeVisible(); // a picture would be too small
    expect(await sticksOut()).toEqual([0, 0]);
  });
});
