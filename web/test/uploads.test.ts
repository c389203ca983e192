import { buildSchema, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { emptied, uploadPaths } from '../src/uploads';

const schema = buildSchema(`
  scalar Upload
  input Paper { file: Upload!, note: String, again: Paper, more: [Upload!] }
  type Query { a(paper: Paper, file: Upload): Int }
`);

describe('uploadPaths', () => {
  it.each([
    ['query A($file: Upload!) { a(file: $file) }', ['variables.file']],
    ['query A($n: Int) { a }', []],
    ['query A($x: Gone) { a }', []],
    ['query B { a } query A($file: Upload) { a(file: $file) }', ['variables.file']],
  ])('%s', (query, want) => expect(uploadPaths(schema, parse(query), 'A')).toEqual(want));

  it('looks into inputs, and not for ever', () => {
    const paths = uploadPaths(schema, parse('query A($p: Paper) { a(paper: $p) }'));
    expect(paths.slice(0, 2)).toEqual(['variables.p.file', 'variables.p.again.file']);
    expect(paths.length).toBe(8);
  });
});

describe('emptied', () => {
  it('has null where files belong, and leaves what it was given', () => {
    const given = { input: { key: 'k', file: 'x' } };
    expect(emptied(given, ['variables.input.file'])).toEqual({ input: { key: 'k', file: null } });
    expect(given.input.file).toBe('x');
    expect(emptied(undefined, ['variables.p.file'])).toEqual({ p: { file: null } });
  });
});
