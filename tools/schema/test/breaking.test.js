import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { announced } from '../changelog.js';

const program = fileURLToPath(new URL('../breaking.js', import.meta.url));

const directives = `
  directive @requires(scope: Scope!) on FIELD_DEFINITION
  directive @nodeScope(scope: Scope!) on OBJECT
  directive @personal(keep: Int! = 4) on FIELD_DEFINITION
  directive @oneOf on INPUT_OBJECT
  enum Scope { READ_LOANS OPERATE }
`;

const released = `${directives}
  type Query { loan(id: ID!): Loan  loans(first: Int = 20): [Loan!] @requires(scope: READ_LOANS) }
  type Loan @nodeScope(scope: READ_LOANS) { id: ID!  status: Status!  account: String @personal(keep: 4)  bank: String  note: String }
  enum Status { OPEN PAID }
  input Way { account: String  wallet: String }
  extend type Query { way(way: Way): Boolean }
`;

/** What the program says of a schema that came of the released one by replacing some text. */
function judged(t, replaced, by, changelog = '## [Unreleased]\n\n### Changed\n\n- Something else.\n') {
  assert.ok(!replaced || released.includes(replaced), `nothing is replaced: ${replaced}`);
  const folder = mkdtempSync(join(tmpdir(), 'schema-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const at = (name) => join(folder, name);
  mkdirSync(at('schema'));
  writeFileSync(at('released.graphql'), released);
  const [first, rest] = released.replace(replaced, by).split('enum Status', 2);
  writeFileSync(at('schema/a.graphqls'), first);
  writeFileSync(at('schema/b.graphqls'), `enum Status${rest}`);
  writeFileSync(at('CHANGELOG.md'), changelog);
  return spawnSync(process.execPath, [program, at('released.graphql'), at('schema'), at('CHANGELOG.md')], { encoding: 'utf8' });
}

const changes = {
  'a field that goes': ['  note: String', '', 'Loan.note was removed.'],
  'a field of another type': ['status: Status!', 'status: Status', 'Loan.status changed type from Status! to Status.'],
  'a value that goes': ['OPEN PAID', 'OPEN', 'PAID was removed from enum type Status.'],
  'an argument that has to be given': ['first: Int = 20', 'first: Int!', 'Query.loans arg first has changed type from Int to Int!.'],
  'a scope where none was needed': ['bank: String', 'bank: String @requires(scope: OPERATE)', 'Loan.bank requires OPERATE now.'],
  'another scope': ['[Loan!] @requires(scope: READ_LOANS)', '[Loan!] @requires(scope: OPERATE)', 'Query.loans requires OPERATE now.'],
  'another scope for a type': ['@nodeScope(scope: READ_LOANS)', '@nodeScope(scope: OPERATE)', 'Loan requires OPERATE now.'],
  'a field that is masked': ['bank: String', 'bank: String @personal', 'Loan.bank shows 4 characters without READ_PII now.'],
  'a mask that hides more': ['keep: 4)  bank', 'keep: 0)  bank', 'Loan.account shows 0 characters without READ_PII now.'],
  'an input that takes one field alone': ['input Way {', 'input Way @oneOf {', 'Way takes exactly one field now.'],
};

for (const [name, [replaced, by, change]] of Object.entries(changes)) {
  test(`${name} breaks clients`, (t) => {
    const { status, stderr } = judged(t, replaced, by);
    assert.equal(status, 1);
    assert.ok(stderr.split('\n').includes(`- Breaking: ${change}`), stderr);
  });

  test(`${name} may come when the changelog says so`, (t) => {
    const { status, stdout } = judged(t, replaced, by, `## [Unreleased]\n\n- Breaking: ${change}\n  Nobody used it.\n`);
    assert.equal(status, 0);
    assert.match(stdout, /^breaks clients, and the changelog says so: /m);
  });
}

test('an entry of an earlier version announces nothing', (t) => {
  const { status } = judged(t, '  note: String', '', '## [Unreleased]\n\n## [0.1.0]\n\n- Breaking: Loan.note was removed.\n');
  assert.equal(status, 1);
});

test('an entry has to name the change and nothing less', (t) => {
  for (const entry of ['Loan.note', 'Loan.note was removed', 'Loan.notes was removed.', 'We say that Loan.note was removed.']) {
    assert.equal(judged(t, '  note: String', '', `## [Unreleased]\n\n- Breaking: ${entry}\n`).status, 1, entry);
  }
});

test('one entry does not announce two changes', (t) => {
  const { status, stderr } = judged(t, '  bank: String  note: String', '', '## [Unreleased]\n\n- Breaking: Loan.note was removed.\n');
  assert.equal(status, 1);
  assert.match(stderr, /^- Breaking: Loan\.bank was removed\.$/m);
  assert.doesNotMatch(stderr, /^- Breaking: Loan\.note was removed\.$/m);
});

test('what is dangerous is told and does not fail', (t) => {
  const { status, stdout } = judged(t, 'OPEN PAID', 'OPEN PAID LATE');
  assert.equal(status, 0);
  assert.match(stdout, /^may surprise clients: LATE was added to enum type Status\.$/m);
});

test('what is added breaks nobody', (t) => {
  const { status, stdout } = judged(t, 'note: String', 'note: String  noted: String @requires(scope: OPERATE)');
  assert.equal(status, 0);
  assert.equal(stdout, '0 breaking and 0 dangerous changes since the release\n');
});

test('a changelog without a section for what comes is an error', (t) => {
  assert.equal(judged(t, '', '', '## [0.1.0]\n\n- Breaking: Loan.note was removed.\n').status, 1);
});

test('entries of several lines are one', () => {
  const text = '# Changelog\n\n## [Unreleased]\n\n### Changed\n\n- Breaking: Loan.note\n  was removed. Use\n  status.\n- More.\n';
  assert.deepEqual(announced(text), ['Loan.note was removed. Use status.']);
});

test('without arguments it says how it is used', () => {
  assert.throws(() => execFileSync(process.execPath, [program], { stdio: 'pipe' }), { status: 2 });
});
