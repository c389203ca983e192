// Packs what vite built: node build-tools/pack.mjs BUILT PACKED. Each file becomes a .gz, and manifest.json says what
// there is and from which sources it was made.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { sourcesHash } from './sources.mjs';

const [built, packed] = process.argv.slice(2);
if (!built || !packed) throw new Error('usage: node build-tools/pack.mjs BUILT PACKED');

function files(folder = '') {
  return readdirSync(join(built, folder)).flatMap((name) => {
    const path = folder ? `${folder}/${name}` : name;
    return statSync(join(built, path)).isDirectory() ? files(path) : [path];
  });
}

rmSync(packed, { recursive: true, force: true });
let total = 0;
const list = files().sort();
for (const path of list) {
  const content = gzipSync(readFileSync(join(built, path)), { level: 9, memLevel: 9, strategy: constants.Z_DEFAULT_STRATEGY });
  const to = join(packed, `${path}.gz`);
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, content);
  total += content.length;
}
writeFileSync(join(packed, 'manifest.json'), `${JSON.stringify({ sources: sourcesHash(), files: list }, null, 2)}\n`);
console.log(`${list.length} files, ${total} bytes packed`);
