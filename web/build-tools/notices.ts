// Writes LEGAL.txt: which packages the page is made of, and under which licences.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const inPackage = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** Notices collects packages from the bundles of the page and of its workers, and writes about them with the page's. */
export class Notices {
  private readonly folders = new Set<string>();

  /** collector is for the workers' bundles. */
  collector(): Plugin {
    return {
      name: 'notices-collector',
      generateBundle: { order: 'post', handler: (_, bundle) => this.take(bundle) },
      transform: { order: 'post', handler: (_, id) => this.note(id) },
    };
  }

  /** writer is for the page's bundle, which is finished last. */
  writer(): Plugin {
    const notices = this;
    return {
      name: 'notices-writer',
      transform: { order: 'post', handler: (_, id) => notices.note(id) },
      generateBundle: {
        order: 'post',
        handler(_, bundle) {
          notices.take(bundle);
          this.emitFile({ type: 'asset', fileName: 'LEGAL.txt', source: notices.text() });
        },
      },
    };
  }

  private take(bundle: Record<string, { type: string; moduleIds?: string[] }>): void {
    for (const part of Object.values(bundle)) for (const id of part.moduleIds ?? []) this.note(id);
  }

  private note(id: string): null {
    const folder = inPackage.exec(id.replace(/^\0/, ''))?.[1];
    if (folder) this.folders.add(folder);
    return null;
  }

  private text(): string {
    const packages = [...this.folders].map(describe).sort((a, b) => (a < b ? -1 : 1));
    return `${opening}\n${[...new Set(packages)].join(`\n${'-'.repeat(80)}\n`)}`;
  }
}

const opening = `The explorer of creditgraph is made of the following packages. Their authors grant the licences below. The icon font
within monaco-editor (codicons) is by Microsoft, under the Creative Commons Attribution 4.0 International licence:
https://creativecommons.org/licenses/by/4.0/
`;

/** describe is a package's name, version and licence, with the texts that it comes with. */
function describe(folder: string): string {
  const { name, version, license, author, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (typeof license !== 'string') throw new Error(`${name} names no licence`);
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice|thirdpartynotices)(\.|$)/i.test(file))
    .map((file) => join(folder, file))
    .filter((file) => existsSync(file))
    .sort()
    .map((file) => readFileSync(file, 'utf8').replace(/\r\n/g, '\n').trim());
  if (texts.length === 0) {
    if (license !== 'MIT') throw new Error(`${name} comes without the text of its licence, ${license}`);
    texts.push(`Copyright (c) ${author?.name ?? author ?? `the contributors to ${repository?.url ?? repository ?? name}`}\n\n${mit}`);
  }
  return `${name} ${version}\n${license}\n\n${texts.join('\n\n')}\n`;
}

/** mit is for packages that name the licence and come without its text. */
const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
