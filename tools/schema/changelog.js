// What a changelog announces.

const mark = '- Breaking: ';

/** The breaking changes that the section of what is not released yet names: the text of each entry, in one line. */
export function announced(changelog) {
  const section = /^## \[Unreleased\]\n(?<text>.*?)(?=^## |(?![^]))/ms.exec(changelog);
  if (!section) throw new Error('the changelog has no section [Unreleased]');
  return section.groups.text
    .split(/^(?=- |#)/m)
    .filter((entry) => entry.startsWith(mark))
    .map((entry) => entry.slice(mark.length).replace(/\s+/g, ' ').trim());
}

/** Those changes that no entry begins with. */
export const unannounced = (changes, entries) => changes.filter((change) => !entries.some((entry) => begins(entry, change)));

const begins = (entry, change) => entry === change || entry.startsWith(`${change} `);
