// What the tests of the explorer share.
import { test as base, expect, type Page } from '@playwright/test';

export { expect };

/** test watches each page: it may ask no other host for anything, and complain of nothing. */
export const test = base.extend<{ watched: { mayFail: RegExp[] } }>({
  watched: [
    async ({ context }, use) => {
      const problems: string[] = [];
      const watched = { mayFail: [] as RegExp[] };
      context.on('request', (request) => {
        const { protocol, hostname } = new URL(request.url());
        if (hostname !== '127.0.0.1' && !['data:', 'blob:'].includes(protocol)) problems.push(`asked ${request.url()}`);
      });
      context.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') problems.push(`${message.text()} (${message.location().url})`);
      });
      context.on('weberror', (error) => problems.push(String(error.error())));
      await use(watched);
      expect(problems.filter((problem) => !watched.mayFail.some((pattern) => pattern.test(problem)))).toEqual([]);
    },
    { auto: true },
  ],
});

/** sandbox is where the made-up world is. */
export const sandbox = () => process.env.EXPLORER_SANDBOX!;

/** enter opens the explorer and waits until it can be used. */
export async function enter(page: Page, role?: string, address = sandbox()) {
  await page.goto(address);
  if (role) await page.getByLabel('Signed in as').selectOption(role);
  await expect(page.locator('.graphiql-query-editor .view-lines')).toContainText('CustomerCreditSummary');
}

/** choose opens an operation of the collection in the editor. */
export async function choose(page: Page, title: string) {
  await page.getByLabel('Find an operation').fill(title);
  await page.getByRole('navigation', { name: 'Operations' }).getByRole('button', { name: new RegExp(` ${title.replace(/[()]/g, '\\$&')}$`) }).click();
  await expect(page.locator('.graphiql-query-editor .view-lines')).toContainText(title.replace(/ \(.*/, ''));
}

/** run sends what is in the editor. */
export async function run(page: Page) {
  await page.getByRole('button', { name: /execute query/i }).click();
}

/** answer is the text of the response. */
export const answer = (page: Page) => page.locator('.result-window .view-lines');
