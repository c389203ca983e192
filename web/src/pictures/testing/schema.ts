// The schema as it is written, for tests.
import { readdirSync, readFileSync } from 'node:fs';
import { buildASTSchema, buildClientSchema, introspectionFromSchema, parse, type GraphQLSchema } from 'graphql';

const folder = new URL('../../../../schema/', import.meta.url);

/** writtenSchema has the directives of the schema's source. */
export function writtenSchema(): GraphQLSchema {
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphqls')).sort();
  const text = files.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
  return buildASTSchema(parse(text), { assumeValid: true });
}

/** toldSchema is the schema as introspection tells it, which is how the panes get it. */
export function toldSchema(): GraphQLSchema {
  return buildClientSchema(introspectionFromSchema(writtenSchema()));
}
