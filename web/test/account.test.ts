import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { guests, remember, remembered, signIn, withToken } from '../src/account';
import { hasTabs, storage } from '../src/storage';
import { answering, Shelf } from './page';

beforeEach(() => {
  vi.stubGlobal('sessionStorage', new Shelf());
  vi.stubGlobal('localStorage', new Shelf());
});
afterEach(() => vi.unstubAllGlobals());

const role = { role: 'analyst', scopes: ['read:events'], token: 't1', expiresIn: 3600 };

describe('guests', () => {
  it('are waited for until the sandbox is ready', async () => {
    const { fetch, sent } = answering({ status: 503, headers: { 'Retry-After': '0' } }, { body: { roles: [role] } });
    vi.stubGlobal('fetch', fetch);
    const before = Date.now();
    const [found] = (await guests())!;
    expect(found).toMatchObject({ role: 'analyst', scopes: ['read:events'], token: 't1', guest: true });
    expect(found.expiresAt).toBeGreaterThanOrEqual(before + 3_600_000);
    expect(sent.map(({ url }) => url)).toEqual(['/explorer/session', '/explorer/session']);
  });

  it('are none where there is no sandbox', async () => {
    vi.stubGlobal('fetch', answering({ status: 404 }).fetch);
    expect(await guests()).toBeNull();
  });

  it('fail with what the server says', async () => {
    vi.stubGlobal('fetch', answering({ status: 403, body: 'Only the own page.\n' }).fetch);
    await expect(guests()).rejects.toThrow('Only the own page.');
  });
});

describe('signing in', () => {
  it('sends the client in the body, and no cookies', async () => {
    const { fetch, sent } = answering({ body: { access_token: 't2', expires_in: 60, scope: 'read:loans read:events' } });
    vi.stubGlobal('fetch', fetch);
    expect(await signIn('c1', 's1')).toMatchObject({ role: 'c1', token: 't2', scopes: ['read:loans', 'read:events'] });
    expect(sent[0]).toMatchObject({ url: '/oauth/token', init: { method: 'POST', credentials: 'omit' } });
    expect(String(sent[0].init.body)).toBe('grant_type=client_credentials&client_id=c1&client_secret=s1');
  });

  it('says why it failed', async () => {
    vi.stubGlobal('fetch', answering({ status: 401, body: { error: 'invalid_client', error_description: 'The secret is wrong.' } }).fetch);
    await expect(signIn('c1', 's1')).rejects.toThrow('The secret is wrong.');
  });

  it('asks the graph whose a token is', async () => {
    const { fetch, sent } = answering({ body: { data: { viewer: { clientId: 'c2', scopes: ['operate'] } } } }, { status: 401, body: { errors: [{ message: 'Not valid.' }] } });
    vi.stubGlobal('fetch', fetch);
    expect(await withToken('t3')).toEqual({ role: 'c2', scopes: ['operate'], token: 't3' });
    expect(sent[0].init.headers).toMatchObject({ Authorization: 'Bearer t3' });
    await expect(withToken('t4')).rejects.toThrow('Not valid.');
  });
});

describe('what is kept', () => {
  it('is the account, until its token ends', () => {
    const account = { role: 'c1', scopes: [], token: 't5', expiresAt: 1000 };
    remember(account);
    expect(JSON.stringify(localStorage)).not.toContain('t5');
    expect(remembered(999)).toEqual(account);
    expect(remembered(1001)).toBeNull();
    remember({ ...account, guest: true }); // gets another token by itself
    expect(remembered(1001)).not.toBeNull();
    remember(null);
    expect(remembered(0)).toBeNull();
  });

  it('is what a person typed, for as long as the tab', () => {
    expect(hasTabs()).toBe(false);
    for (const name of ['tabState', 'queries', 'favorites', 'headers', 'variables', 'query']) storage.setItem(`graphiql:${name}`, 'typed');
    storage.setItem('graphiql:editorFlex', '2');
    expect(hasTabs()).toBe(true);
    expect(JSON.stringify(localStorage)).toBe('{"graphiql:editorFlex":"2"}');
    expect(storage.getItem('graphiql:headers')).toBe('typed');
    sessionStorage.setItem('other', 'stays');
    storage.clear();
    expect(JSON.stringify(sessionStorage)).toBe('{"other":"stays"}');
    expect(localStorage.length).toBe(0);
  });
});
