// Takes the pictures of docs/screenshots: node e2e/screenshots.mjs ADDRESS, with a sandbox at the address. It needs pngquant.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

const address = process.argv[2];
if (!address) throw new Error('usage: node e2e/screenshots.mjs ADDRESS');
const folder = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.EXPLORER_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** picture opens the explorer, does what is to be seen, and keeps it as a PNG of 128 colours. */
async function picture(name, options, act) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 780 }, colorScheme: 'light', reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  await page.goto(address);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  await page.getByRole('button', { name: /execute query/i }).click();
  await page.locator('.result-window .view-lines').getByText('creditSummary').waitFor();
  await act(page);
  await page.evaluate(() => document.activeElement?.blur());
  await page.waitForTimeout(1000); // for drawings to come to rest
  const file = `${folder}${name}.png`;
  await page.screenshot({ path: file });
  execFileSync('pngquant', ['--force', '--speed', '1', '--strip', '--ext', '.png', '128', file]);
  await context.close();
}

await picture('explorer', {}, async () => {});
await picture('summary', {}, (page) => page.locator('#side-Summary').click());
await picture('schema', { colorScheme: 'dark' }, (page) => page.locator('#side-Schema').click());
await picture('live', { colorScheme: 'dark' }, async (page) => {
  await page.locator('#side-Live').click();
  await page.waitForTimeout(1000);
  for (const title of ['RecordPayment', 'ApplyForLoan', 'ApproveLoan', 'RequestCreditScore']) {
    await page.getByLabel('Find an operation').fill(title);
    await page.getByRole('button', { name: new RegExp(` ${title}$`) }).click();
    await page.waitForTimeout(1500);
    await page.getByRole('button', { name: /execute query/i }).click();
    await page.waitForTimeout(2000);
  }
  await page.getByLabel('Find an operation').fill('');
  await page.getByRole('heading', { name: 'Events' }).evaluate((heading) => heading.scrollIntoView({ block: 'start' }));
});
await picture('phone', { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true }, (page) => page.locator('#side-Summary').click());
await browser.close();
