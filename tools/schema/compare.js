// What a schema changed, as the clients of another one see it.
import { GraphQLInputObjectType, GraphQLObjectType, findBreakingChanges, findDangerousChanges, getDirectiveValues } from 'graphql';

/** What breaks clients, one sentence each, and what may surprise them. */
export function compare(before, after) {
  return {
    breaking: [...findBreakingChanges(before, after).map(said), ...narrowed(before, after)].sort(),
    dangerous: findDangerousChanges(before, after).map(said).sort(),
  };
}

const said = ({ description }) => description;

/** What the types do not show: a field that tokens need more for, or that shows less than it did. */
function* narrowed(before, after) {
  for (const [name, type] of Object.entries(before.getTypeMap())) {
    const now = after.getType(name);
    if (type instanceof GraphQLInputObjectType && now instanceof GraphQLInputObjectType && !type.isOneOf && now.isOneOf) {
      yield `${name} takes exactly one field now.`;
    }
    if (!(type instanceof GraphQLObjectType) || !(now instanceof GraphQLObjectType)) continue;
    yield* scoped(name, 'nodeScope', before, after, type, now);
    for (const [field, was] of Object.entries(type.getFields())) {
      const is = now.getFields()[field];
      if (is) yield* hidden(`${name}.${field}`, before, after, was, is);
    }
  }
}

function* hidden(path, before, after, was, is) {
  yield* scoped(path, 'requires', before, after, was, is);
  const shown = directive(before, 'personal', was);
  const shows = directive(after, 'personal', is);
  if (shows && (!shown || shows.keep < shown.keep)) yield `${path} shows ${shows.keep} characters without READ_PII now.`;
}

function* scoped(path, name, before, after, was, is) {
  const needed = directive(before, name, was)?.scope;
  const needs = directive(after, name, is)?.scope;
  if (needs && needs !== needed) yield `${path} requires ${needs} now.`;
}

/** The arguments of a directive where it stands, undefined where it does not. */
function directive(schema, name, { astNode, extensionASTNodes = [] }) {
  const definition = schema.getDirective(name);
  if (!definition || !astNode) return undefined;
  const directives = [astNode, ...extensionASTNodes].flatMap((node) => node.directives ?? []);
  return getDirectiveValues(definition, { directives }) ?? undefined;
}
