// What a build of the page depends on, as one hash. `go test ./web` computes the same and compares.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

const parts = [
  '../examples/operations', 'build-tools', 'index.html', 'operations', 'package-lock.json', 'package.json', 'src', 'tsconfig.json', 'vite.config.ts',
];

/** files lists what is below a path, or the path itself. */
function files(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => files(`${path}/${name}`));
}

/** sourcesHash is the SHA-256 of one line for each file: the SHA-256 of its content, two spaces, its path. */
export function sourcesHash() {
  const lines = parts.flatMap(files).sort().map((path) => `${sha256(readFileSync(join(root, path)))}  ${path}\n`);
  return sha256(lines.join(''));
}

function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}
