import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const good = `
"What can be read."
type Query {
  "One loan."
  loan(
    "Its id."
    id: ID!
  ): Loan
}

"A loan."
type Loan {
  "Its id."
  id: ID!
  "Where it stands."
  status: Status
}

"Where a loan stands."
enum Status {
  "Being repaid."
  OPEN
}
`;

/** What the rules say of a schema that came of a good one by replacing some text. */
function linted(t, replaced, by, name = 'loan.graphqls') {
  assert.ok(good.includes(replaced), `nothing is replaced: ${replaced}`);
  const folder = mkdtempSync(join(tmpdir(), 'schema-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'schema'));
  writeFileSync(join(folder, 'schema', name), good.replace(replaced, by));
  const arguments_ = [at('../node_modules/eslint/bin/eslint.js'), '-c', at('../eslint.config.js'), '--max-warnings', '0', 'schema'];
  return spawnSync(process.execPath, arguments_, { cwd: folder, encoding: 'utf8' });
}

test('a good schema is one', (t) => {
  const { status, stdout } = linted(t, '', '');
  assert.equal(status, 0, stdout);
});

const faults = {
  'require-description': [
    ['"A loan."\n', ''],
    ['  "Where it stands."\n', ''],
    ['    "Its id."\n', ''],
    ['  "Being repaid."\n', ''],
  ],
  'naming-convention': [['OPEN', 'open'], ['status: Status', 'Status: Status'], ['loan(', 'getLoan(']],
  'no-typename-prefix': [['status: Status', 'loanStatus: Status']],
  'strict-id-in-types': [['  "Its id."\n  id: ID!\n', '']],
  'no-unreachable-types': [['status: Status', 'status: String']],
};

for (const [rule, replacements] of Object.entries(faults)) {
  for (const [replaced, by] of replacements) {
    test(`${rule}: ${replaced.trim()} as ${by.trim() || 'nothing'}`, (t) => {
      const { status, stdout } = linted(t, replaced, by);
      assert.equal(status, 1);
      assert.ok(stdout.includes(`@graphql-eslint/${rule}`), stdout);
    });
  }
}

test('the exception for the name of a provider is for its file alone', (t) => {
  assert.equal(linted(t, 'status: Status', 'loanStatus: Status', 'provider.graphqls').status, 0);
  assert.equal(linted(t, 'status: Status', 'loanStatus: Status', 'loan.graphqls').status, 1);
});
