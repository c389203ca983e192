// Finds where an operation takes files.
import { type DocumentNode, getNamedType, type GraphQLSchema, isInputObjectType, Kind, typeFromAST, type GraphQLInputType } from 'graphql';

/** how deep input objects are looked into for files. */
const depth = 4;

/** uploadPaths are the places of an operation's variables that take a file: "variables.input.file". */
export function uploadPaths(schema: GraphQLSchema, document: DocumentNode, operationName?: string | null): string[] {
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const operation = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
  return (operation?.variableDefinitions ?? []).flatMap(({ type, variable }) => {
    const found = typeFromAST(schema, type as never) as GraphQLInputType | undefined;
    return found ? pathsIn(found, `variables.${variable.name.value}`, depth) : [];
  });
}

function pathsIn(type: GraphQLInputType, path: string, left: number): string[] {
  const named = getNamedType(type);
  if (named.name === 'Upload') return [path];
  if (!isInputObjectType(named) || left === 0) return [];
  return Object.values(named.getFields()).flatMap((field) => pathsIn(field.type, `${path}.${field.name}`, left - 1));
}

/** emptied are variables with null in the places of files, as the specification of uploads wants it. */
export function emptied(variables: unknown, paths: Iterable<string>): object {
  const copy = structuredClone((variables ?? {}) as Record<string, unknown>);
  for (const path of paths) {
    const steps = path.split('.').slice(1);
    let at = copy;
    for (const step of steps.slice(0, -1)) at = (at[step] ??= {}) as Record<string, unknown>;
    at[steps.at(-1)!] = null;
  }
  return copy;
}
