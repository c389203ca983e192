import { answer, choose, enter, expect, run, sandbox, test } from './explorer';

for (const role of ['front end', 'mobile', 'analyst', 'operator']) {
  test(`signed in as ${role}, a summary is a run away`, async ({ page }) => {
    await enter(page, role);
    await run(page);
    await expect(answer(page)).toContainText('"creditSummary": {');
    await page.getByRole('tab', { name: 'Summary', exact: true }).click();
    await expect(page.getByRole('region', { name: 'Credit summary' })).toContainText('Adewale Okonkwo');
  });
}

test('an event is followed live while another tab acts', async ({ page, context }) => {
  await enter(page, 'analyst');
  await choose(page, 'AllEvents');
  await run(page);
  await expect(page.locator('.stream')).toHaveText('live');
  const other = await context.newPage();
  await enter(other, 'front end');
  await choose(other, 'RecordPayment');
  await run(other);
  await expect(answer(other)).toContainText('"status": "SUCCEEDED"');
  await expect(answer(page)).toContainText('"event": {');
  await page.getByRole('button', { name: /stop query/i }).click();
  await expect(page.locator('.stream')).toHaveText('ended');
});

test('errors are shown as the graph sends them', async ({ page }) => {
  await enter(page, 'mobile');
  await choose(page, 'AuditTrail');
  await run(page);
  await expect(answer(page)).toContainText('"code": "FORBIDDEN"');
  await choose(page, 'AllEvents');
  await run(page);
  await expect(answer(page)).toContainText('"code": "FORBIDDEN"');
});

test('tabs, headers and history are there again after a reload, and end with the tab', async ({ page, context }) => {
  await enter(page, 'analyst');
  await choose(page, 'LoanBook');
  await run(page);
  await expect(answer(page)).toContainText('"totals": [');
  await page.getByRole('button', { name: 'Headers' }).click();
  await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden)').click();
  await page.keyboard.type('{"X-Request-Id": "mine"');
  await expect.poll(() => page.evaluate(() => sessionStorage.getItem('graphiql:tabState'))).toContain('X-Request-Id');
  await page.reload();
  await expect(page.locator('.graphiql-query-editor .view-lines')).toContainText('LoanBook');
  await expect(page.locator('.graphiql-tab')).toHaveCount(2);
  await expect(page.getByLabel('Signed in as')).toHaveValue('analyst');
  await page.getByRole('button', { name: 'Headers' }).click();
  await expect(page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines')).toContainText('X-Request-Id');
  await page.getByRole('button', { name: /show history/i }).click();
  await expect(page.locator('.graphiql-history')).toContainText('LoanBook');
  const kept = await page.evaluate(() => JSON.stringify(localStorage));
  expect(kept).not.toContain('LoanBook');
  expect(kept).not.toContain('eyJ');
  const fresh = await context.newPage();
  await enter(fresh);
  await expect(fresh.locator('.graphiql-tab')).toHaveCount(1);
});

test('a link shows an operation and runs nothing', async ({ page, context }) => {
  await enter(page, 'analyst');
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await choose(page, 'FindCustomers');
  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.getByRole('button', { name: 'Link copied' })).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).not.toContain('eyJ');
  const other = await context.newPage();
  const sent: string[] = [];
  other.on('request', (request) => request.url().endsWith('/graphql') && sent.push(request.postData() ?? ''));
  await other.goto(link);
  await expect(other.locator('.graphiql-query-editor .view-lines')).toContainText('FindCustomers');
  await expect(other.locator('.graphiql-doc-explorer, .graphiql-query-editor').first()).toBeVisible();
  await expect.poll(() => sent.some((body) => body.includes('IntrospectionQuery'))).toBe(true);
  expect(sent.filter((body) => body.includes('FindCustomers'))).toEqual([]);
  expect(other.url()).not.toContain('#');
});

test('a file goes with an upload', async ({ page }) => {
  await enter(page, 'front end');
  await choose(page, 'UploadDocument');
  await page.getByLabel('$input.file').setInputFiles({ name: 'invoice.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') });
  await run(page);
  await expect(answer(page)).toContainText('"status": "SUCCEEDED"');
});

test('a token that has ended is replaced by itself', async ({ page, watched }) => {
  watched.mayFail.push(/401 \(Unauthorized\)/);
  await enter(page, 'analyst');
  await choose(page, 'Viewer');
  let refused = 0;
  await page.route('**/graphql', async (route) => {
    if (refused++ > 0) return route.fallback();
    await route.fulfill({ status: 401, contentType: 'application/json', body: '{"errors": [{"message": "The token has expired."}]}' });
  });
  await run(page);
  await expect(answer(page)).toContainText('"clientId": "demo-analyst"');
  expect(refused).toBe(2);
});

test('the keyboard is enough', async ({ page }) => {
  await enter(page, 'analyst');
  await page.locator('.graphiql-query-editor .view-lines').click();
  await page.keyboard.press('Control+Enter');
  await expect(answer(page)).toContainText('"data": {');
  await page.getByRole('tab', { name: 'Response' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('tab', { name: 'Summary', exact: true })).toBeFocused();
  await expect(page.getByRole('tabpanel', { name: 'Summary', exact: true })).toBeVisible();
});

test('the editor knows the schema, also where the token may not read it', async ({ page }) => {
  await enter(page, 'mobile');
  await page.getByRole('button', { name: /show documentation explorer/i }).click();
  await expect(page.locator('.graphiql-doc-explorer')).toContainText('Mutation');
});

test('a type of the picture is found in the documentation', async ({ page }) => {
  await enter(page);
  await page.getByRole('tab', { name: 'Schema' }).click();
  await page.getByRole('button', { name: 'Open in the documentation' }).click();
  await expect(page.locator('.graphiql-doc-explorer-title')).toHaveText(await page.locator('.pane h2, .pane h3').first().innerText());
});

test('a stream that is cut off comes back, with another token where the first is refused', async ({ page }) => {
  await enter(page, 'analyst');
  const tokens: string[] = [];
  let cut = () => {};
  await page.routeWebSocket('**/graphql', (socket) => {
    const server = socket.connectToServer();
    cut = () => void socket.close({ code: 4403, reason: 'The token has expired.' });
    socket.onMessage((message) => {
      const { type, payload } = JSON.parse(String(message));
      if (type === 'connection_init') tokens.push(payload.Authorization);
      server.send(message);
    });
  });
  let renewed = 0;
  page.on('request', (request) => request.url().endsWith('/explorer/session') && renewed++);
  await choose(page, 'AllEvents');
  await run(page);
  await expect(page.locator('.stream')).toHaveText('live');
  cut();
  await expect.poll(() => tokens.length).toBe(2);
  await expect(page.locator('.stream')).toHaveText('live');
  expect(renewed).toBe(1);
});

test('dark and light', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await enter(page);
  const ground = () => page.evaluate(() => getComputedStyle(document.querySelector('.bar')!).backgroundColor);
  const dark = await ground();
  await page.getByLabel('Theme').selectOption('light');
  await expect(page.locator('body')).toHaveClass(/graphiql-light/);
  expect(await ground()).not.toBe(dark);
  await page.reload();
  await expect(page.locator('body')).toHaveClass(/graphiql-light/);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });

  test('an operation is chosen and run, and nothing sticks out', async ({ page }) => {
    await enter(page);
    await page.getByRole('button', { name: 'Operations' }).tap();
    await choose(page, 'FindCustomers');
    await expect(page.getByRole('navigation', { name: 'Operations' })).toBeHidden();
    await run(page);
    await expect(answer(page)).toContainText('"totalCount"');
    await expect(page.locator('.graphiql-response')).toBeInViewport({ ratio: 0.5 });
    await page.getByRole('tab', { name: 'Summary', exact: true }).tap();
    await expect(page.getByRole('region', { name: 'Credit summary' })).toBeInViewport();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});

test.describe('where customers are real', () => {
  const address = () => process.env.EXPLORER_DEPLOYMENT!;
  const client = (name: string): { id: string; secret: string } => JSON.parse(process.env.EXPLORER_CLIENTS!)[name];

  test.beforeEach(({ watched }) => {
    watched.mayFail.push(/404 .*\/explorer\/session/, /401 .*\/oauth\/token/);
  });

  test('somebody signs in with a client and stays signed in over a reload', async ({ page }) => {
    const { id, secret } = client('analyst');
    await page.goto(address());
    await page.getByLabel('Client id').fill(id);
    await page.getByLabel('Secret').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toHaveText('The client id or the secret is wrong.');
    await page.getByLabel('Secret').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.locator('.client')).toHaveText(id);
    await choose(page, 'Viewer');
    await run(page);
    await expect(answer(page)).toContainText(id.slice(0, 20)); // the rest may be on the next line
    await page.reload();
    await expect(page.locator('.client')).toHaveText(id);
    expect(await page.evaluate(() => JSON.stringify(localStorage) + location.href)).not.toContain('eyJ');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('eyJ');
  });

  test('a token does as well', async ({ page, request }) => {
    const { id, secret } = client('analyst');
    const granted = await request.post(`${address()}/oauth/token`, { form: { grant_type: 'client_credentials', client_id: id, client_secret: secret } });
    await page.goto(address());
    await page.getByLabel('Token').fill((await granted.json()).access_token);
    await page.getByRole('button', { name: 'Use the token' }).click();
    await expect(page.locator('.client')).toHaveText(id);
  });

  test('a token that may not read the schema works without, and is told why', async ({ page }) => {
    const { id, secret } = client('clerk');
    await page.goto(address());
    await page.getByLabel('Client id').fill(id);
    await page.getByLabel('Secret').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await choose(page, 'FindCustomers');
    await run(page);
    await expect(answer(page)).toContainText('"totalCount": 0');
    await page.getByRole('tab', { name: 'Schema' }).click();
    await expect(page.getByRole('tabpanel', { name: 'Schema' })).toContainText('needs the scope read:events or operate');
  });

  test('nobody is given a token', async ({ request }) => {
    expect((await request.get(`${address()}/explorer/session`, { headers: { 'Sec-Fetch-Site': 'same-origin' } })).status()).toBe(404);
    expect((await request.get(`${sandbox()}/explorer/session`, { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status()).toBe(403);
  });
});
