import { readdirSync, readFileSync } from 'node:fs';
import { buildSchema, coerceInputValue, parse, validate, typeFromAST, type GraphQLInputType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { collect, groups } from '../operations/collect';
import { fill, idsQuery, placesIn, type Ids } from '../src/ids';

const folder = new URL('../../schema/', import.meta.url);
const schema = buildSchema(
  readdirSync(folder)
    .filter((name) => name.endsWith('.graphqls'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n'),
);
const entries = collect();

// Every place has something to fill it.
const ids: Ids = {
  customer: 'c', loan: 'l', operation: 'o', supplier: 's', any: 'c',
  'loan to decide': 'l', 'loan to pay out': 'l', 'loan to repay': 'l', 'operation that waits for a password': 'o', 'operation that waits for information': 'o', 'operation in doubt': 'o',
  'carbon id': 'x', 'customer unknown to the bureau': 'c', 'customer unknown to kredmint': 'c', 'onepipe id': 'x',
};

/** chosen puts something in the place of the files that a person would choose. */
const chosen = (variables: unknown) => JSON.parse(JSON.stringify(variables), (_, value) => (value === '<upload>' ? 'a file' : value));

describe('the collection', () => {
  it('has operations for each group, under titles of their own', () => {
    expect(new Set(entries.map((entry) => entry.title)).size).toBe(entries.length);
    for (const group of groups) expect(entries.filter((entry) => entry.group === group).length).toBeGreaterThanOrEqual(5);
  });

  it.each(entries.map((entry) => [entry.title, entry] as const))('%s is valid', (_, entry) => {
    const document = parse(entry.document);
    expect(validate(schema, document)).toEqual([]);
    const filled = fill(chosen(entry.variables), ids);
    expect(filled.missing).toEqual([]);
    const operation = document.definitions[0];
    if (operation.kind !== 'OperationDefinition') throw new Error('the operation comes first');
    const declared = new Map(operation.variableDefinitions?.map((definition) => [definition.variable.name.value, definition]));
    const variables = filled.variables as Record<string, unknown>;
    for (const name of Object.keys(variables)) expect([...declared.keys()]).toContain(name);
    for (const [name, definition] of declared) {
      const type = typeFromAST(schema, definition.type) as GraphQLInputType;
      if (name in variables || !definition.defaultValue) coerceInputValue(variables[name] ?? null, type);
    }
  });

  it('knows a way to fill every place', () => {
    const places = new Set(entries.flatMap((entry) => placesIn(entry.variables)));
    expect([...places].filter((place) => fill(`<${place}>`, ids).missing.length > 0)).toEqual([]);
  });
});

describe('the query for ids', () => {
  it('is valid', () => expect(validate(schema, parse(idsQuery))).toEqual([]));
});
