import { isInterfaceType, isObjectType, type ConstDirectiveNode, type GraphQLSchema } from 'graphql';
import { expect, test } from 'vitest';
import { writtenSchema } from '../testing/schema';
import { nodeScopeOf, personal, scopeOf } from './scopes';

type Directed = { directives?: readonly ConstDirectiveNode[] };

function scopeIn(nodes: readonly Directed[], directive: string): string | undefined {
  const found = nodes.flatMap((node) => node.directives ?? []).find((each) => each.name.value === directive);
  const scope = found?.arguments?.find((argument) => argument.name.value === 'scope')?.value;
  return scope?.kind === 'EnumValue' ? scope.value : undefined;
}

function scopesOf(schema: GraphQLSchema) {
  const requires: Record<string, string> = {};
  const nodes: Record<string, string> = {};
  const masked: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    const scope = scopeIn([type.astNode ?? {}, ...type.extensionASTNodes], 'nodeScope');
    if (scope) nodes[type.name] = scope;
    for (const field of Object.values(type.getFields())) {
      const needed = scopeIn([field.astNode ?? {}], 'requires');
      if (needed) requires[`${type.name}.${field.name}`] = needed;
      if (field.astNode?.directives?.some((each) => each.name.value === 'personal')) masked.push(`${type.name}.${field.name}`);
    }
  }
  return { requires, nodes, masked };
}

// `npx vitest run -u` writes the list anew after a change of the schema.
test('the list of scopes is the one that the schema has', async () => {
  await expect(`${JSON.stringify(scopesOf(writtenSchema()), null, 1)}\n`).toMatchFileSnapshot('./scopes.json');
});

test('scopes are written as tokens have them', () => {
  expect(scopeOf('CreditSummary.scores')).toBe('read:scores');
  expect(scopeOf('CreditSummary.asOf')).toBeUndefined();
  expect(nodeScopeOf('CreditScore')).toBe('read:scores');
  expect(personal('CreditLine.applyUrl')).toBe(true);
  expect(personal('CreditLine.limit')).toBe(false);
});
