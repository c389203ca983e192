// Hands the collection of operations to the page, as data.
import type { Plugin } from 'vite';
import { collect, sources } from './collect';

const name = 'virtual:operations';

/** operations makes "virtual:operations". */
export function operations(): Plugin {
  return {
    name: 'operations',
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load(id) {
      if (id !== `\0${name}`) return;
      for (const source of sources()) this.addWatchFile(source);
      return `export const entries = JSON.parse(${JSON.stringify(JSON.stringify(collect()))});`;
    },
  };
}
