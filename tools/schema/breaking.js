// Fails when the schema breaks clients of the released one and the changelog does not say so.
//
//   node breaking.js RELEASED SCHEMA CHANGELOG
//
// RELEASED is a file; SCHEMA is a folder of .graphqls files.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema } from 'graphql';
import { announced, unannounced } from './changelog.js';
import { compare } from './compare.js';

const [released, folder, changelog] = process.argv.slice(2);
if (!changelog) {
  console.error('node breaking.js RELEASED SCHEMA CHANGELOG');
  process.exit(2);
}

const read = (path) => readFileSync(path, 'utf8');
const files = readdirSync(folder).filter((name) => name.endsWith('.graphqls'));
const { breaking, dangerous } = compare(
  buildSchema(read(released)),
  buildSchema(files.sort().map((name) => read(join(folder, name))).join('\n')),
);
const missing = unannounced(breaking, announced(read(changelog)));

for (const change of dangerous) console.log(`may surprise clients: ${change}`);
for (const change of breaking) if (!missing.includes(change)) console.log(`breaks clients, and the changelog says so: ${change}`);
if (missing.length > 0) {
  console.error(`These changes break clients. Undo them, or put an entry for each under [Unreleased] in ${changelog}:`);
  for (const change of missing) console.error(`- Breaking: ${change}`);
  process.exit(1);
}
console.log(`${breaking.length} breaking and ${dangerous.length} dangerous changes since the release`);
