// Reads the operations that the explorer offers: those of examples/operations, which clients send as they stand, and
// those beside this file. It runs when the page is built, so that the page need not parse them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FragmentDefinitionNode, Kind, type OperationDefinitionNode, parse, visit } from 'graphql';

/** Entry is an operation that is ready to run, once the places in its variables are filled. */
export interface Entry {
  /** title is unique: "ApplyForLoan (Carbon)". */
  title: string;
  /** name is that of the operation in the document. */
  name: string;
  kind: 'query' | 'mutation' | 'subscription';
  group: Group;
  /** about says what it is good for; "" where the document does not. */
  about: string;
  document: string;
  /** variables hold places such as "<customer>". */
  variables: unknown;
}

/** Group is a group of users. */
export type Group = (typeof groups)[number];

/** groups are those that use the graph, as people are shown them. */
export const groups = ['mobile', 'web', 'analyst', 'operator'] as const;

/** operatorsOnly are what the clients' documents have for operators alone. */
const operatorsOnly = ['ResolveOperation', 'RegisterWebhook'];

const here = new URL('./', import.meta.url);
const examples = new URL('../../examples/operations/', import.meta.url);

/** sources are the files that the collection is made of. */
export function sources(): string[] {
  const files = ['mobile', 'web', 'analyst'].map((group) => new URL(`${group}.graphql`, examples));
  files.push(new URL('variables.json', examples));
  for (const group of groups) files.push(new URL(`${group}.graphql`, here));
  files.push(new URL('variables.json', here));
  return files.map((file) => fileURLToPath(file));
}

/** collect is the whole collection, in the order of the groups. */
export function collect(): Entry[] {
  const variables = { ...readVariables(examples), ...readVariables(here) };
  const entries = groups.flatMap((group) => [
    ...(group === 'operator' ? [] : readOperations(new URL(`${group}.graphql`, examples), group)),
    ...readOperations(new URL(`${group}.graphql`, here), group),
  ]);
  const all = entries.flatMap((entry) => withVariables(entry, variables));
  return groups.flatMap((group) => all.filter((entry) => entry.group === group));
}

function readVariables(folder: URL): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL('variables.json', folder), 'utf8'));
}

/** withVariables makes one entry of each set of variables that an operation comes with: it may have several titles. */
function withVariables(entry: Entry, variables: Record<string, unknown>): Entry[] {
  const titles = Object.keys(variables).filter((title) => title === entry.name || title.startsWith(`${entry.name} (`));
  if (titles.length === 0) return [entry];
  return titles.map((title) => ({ ...entry, title, variables: variables[title] }));
}

/** readOperations takes a document apart: each operation gets the fragments that it uses. */
function readOperations(file: URL, group: Group): Entry[] {
  const text = readFileSync(file, 'utf8');
  const { definitions } = parse(text);
  const fragments = new Map(
    definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION).map((fragment) => [fragment.name.value, fragment]),
  );
  return definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map((operation) => {
      const name = operation.name!.value;
      const parts = [operation, ...used(operation, fragments)];
      return {
        title: name,
        name,
        kind: operation.operation,
        group: operatorsOnly.includes(name) ? 'operator' : group,
        about: commentBefore(text, operation.loc!.start),
        document: `${parts.map((part) => text.slice(part.loc!.start, part.loc!.end)).join('\n\n')}\n`,
        variables: {},
      };
    });
}

/** used are the fragments that a definition spreads, and those which they spread. */
function used(from: OperationDefinitionNode | FragmentDefinitionNode, all: Map<string, FragmentDefinitionNode>, seen = new Set<string>()): FragmentDefinitionNode[] {
  const found: FragmentDefinitionNode[] = [];
  visit(from, {
    FragmentSpread({ name }) {
      const fragment = all.get(name.value);
      if (!fragment || seen.has(name.value)) return;
      seen.add(name.value);
      found.push(fragment, ...used(fragment, all, seen));
    },
  });
  return found;
}

/** commentBefore is the comment that ends right before a place, as one line. */
function commentBefore(text: string, start: number): string {
  const lines = text.slice(0, start).split('\n').slice(0, -1);
  const comment: string[] = [];
  while (lines.length > 0 && lines.at(-1)!.startsWith('#')) comment.unshift(lines.pop()!.replace(/^#+\s*/, ''));
  return comment.join(' ').trim();
}
