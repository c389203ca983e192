import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Account } from '../src/account';
import { linkTo, sharedIn } from '../src/link';
import { openSession, reasonOf } from '../src/session';
import { answering } from './page';

afterEach(() => vi.unstubAllGlobals());

/** account is somebody whose token ends, and is renewed as said. */
function account(renew: () => Promise<Account>) {
  let held: Account = { role: 'analyst', scopes: ['read:events'], token: 't1' };
  let refused = 0;
  const keys = { account: () => held, renew: async () => (held = await renew()), onRefused: () => refused++ };
  return { keys, refused: () => refused };
}

const header = (init: RequestInit, name: string) => new Headers(init.headers).get(name);

describe('a session', () => {
  it('sends operations with its token', async () => {
    const { fetch, sent } = answering({ body: { data: { viewer: null } } });
    vi.stubGlobal('fetch', fetch);
    const session = openSession(account(() => Promise.reject(new Error('no'))).keys);
    expect(await session.request('query Q { viewer { clientId } }', { a: 1 })).toEqual({ data: { viewer: null } });
    expect(sent[0].url).toBe('/graphql');
    expect(header(sent[0].init, 'Authorization')).toBe('Bearer t1');
    expect(JSON.parse(String(sent[0].init.body))).toEqual({ query: 'query Q { viewer { clientId } }', variables: { a: 1 } });
  });

  it('sends again with another token where the first has ended', async () => {
    const { fetch, sent } = answering({ status: 401, body: { errors: [] } }, { body: { data: {} } });
    vi.stubGlobal('fetch', fetch);
    const { keys, refused } = account(async () => ({ role: 'analyst', scopes: [], token: 't2' }));
    expect(await openSession(keys).request('{ a }')).toEqual({ data: {} });
    expect(sent.map(({ init }) => header(init, 'Authorization'))).toEqual(['Bearer t1', 'Bearer t2']);
    expect(refused()).toBe(0);
  });

  it('gives the refusal back where somebody has to sign in again', async () => {
    const { fetch, sent } = answering({ status: 401, body: { errors: [{ message: 'expired' }] } });
    vi.stubGlobal('fetch', fetch);
    const { keys, refused } = account(() => Promise.reject(new Error('no')));
    expect(await openSession(keys).request('{ a }')).toEqual({ errors: [{ message: 'expired' }] });
    expect([sent.length, refused()]).toEqual([1, 1]);
  });

  it('takes errors of any status as answers, and says what is none', async () => {
    vi.stubGlobal('fetch', answering({ status: 400, body: { errors: [{ message: 'bad' }] } }, { status: 502, body: '<html>' }).fetch);
    const session = openSession(account(() => Promise.reject(new Error('no'))).keys);
    expect(await session.request('{')).toEqual({ errors: [{ message: 'bad' }] });
    await expect(session.request('{ a }')).rejects.toThrow('502');
  });

  it('sends files as the specification of uploads has it, behind a header that only our pages send', async () => {
    const { fetch, sent } = answering({ body: { data: {} } });
    vi.stubGlobal('fetch', fetch);
    const file = new File(['x'], 'a.pdf');
    const session = openSession(account(() => Promise.reject(new Error('no'))).keys);
    await session.send({ query: 'mutation M', variables: { input: { file: null } } }, { 'X-Mine': '1' }, new Map([['variables.input.file', file]]));
    const form = sent[0].init.body as FormData;
    expect([...form.keys()]).toEqual(['operations', 'map', '0']);
    expect(form.get('map')).toBe('{"0":["variables.input.file"]}');
    expect(JSON.parse(String(form.get('operations'))).variables).toEqual({ input: { file: null } });
    expect((form.get('0') as File).name).toBe('a.pdf');
    expect([header(sent[0].init, 'GraphQL-Preflight'), header(sent[0].init, 'X-Mine'), header(sent[0].init, 'Content-Type')]).toEqual(['1', '1', null]);
  });

  it("lets a header of the editor's stand for the token", async () => {
    const { fetch, sent } = answering({ body: {} });
    vi.stubGlobal('fetch', fetch);
    await openSession(account(() => Promise.reject(new Error('no'))).keys).send({ query: '{ a }' }, { authorization: 'Bearer other' });
    expect(header(sent[0].init, 'Authorization')).toBe('Bearer other');
  });
});

describe('reasonOf', () => {
  it.each([
    [[{ message: 'a.' }, { message: 'b.' }], 'a. b.'],
    [new Error('c'), 'c'],
    [{ code: 4403, reason: 'Forbidden' }, 'Forbidden'],
    [{ code: 1006, reason: '' }, 'The connection was closed (1006).'],
    [{}, 'The connection was lost.'],
  ])('%j', (reason, want) => expect(reasonOf(reason)).toBe(want));
});

describe('a link', () => {
  it('carries an operation behind the #', () => {
    const shared = { query: 'query Q($a: Int) { a & "+#%" }', variables: '{"a": 1}' };
    const link = linkTo('http://127.0.0.1/', shared);
    expect(link.startsWith('http://127.0.0.1/#')).toBe(true);
    expect(sharedIn(new URL(link).hash)).toEqual(shared);
  });

  it.each(['', '#', '#variables=%7B%7D', '#section'])('is none: %j', (fragment) => expect(sharedIn(fragment)).toBeNull());
});
