// Types of the schema as the schema pane shows them.
import {
  getNamedType, isEnumType, isInputObjectType, isInterfaceType, isIntrospectionType, isObjectType, isUnionType,
  type GraphQLField, type GraphQLNamedType, type GraphQLSchema, type GraphQLType,
} from 'graphql';
import { personal, scopeOf } from './scopes';

/** Kind is a kind of type, in a reader's words. */
export type Kind = 'object' | 'interface' | 'union' | 'enum' | 'input' | 'scalar';

/** kinds are all of them, in the order in which lists have them. */
export const kinds: Kind[] = ['object', 'interface', 'union', 'enum', 'input', 'scalar'];

/** Argument is one that a field takes. */
export interface Argument {
  name: string;
  type: string;
  named: string;
  description?: string;
}

/** Row is a field, a member of a union or a value of an enum. */
export interface Row {
  name: string;
  /** type is as the schema writes it: "[Loan!]!". */
  type?: string;
  /** named is the type without lists and non-nulls. */
  named?: string;
  /** target is the type that the row leads to; of a page of a list, what is listed. Plain values lead nowhere. */
  target?: string;
  description?: string;
  arguments: Argument[];
  /** scope is what a token needs for the field: "read:scores". */
  scope?: string;
  /** personal is true for what is masked without read:pii. */
  personal: boolean;
  deprecated?: string;
}

/** kindOf is a type's kind. */
export function kindOf(type: GraphQLNamedType): Kind {
  if (isObjectType(type)) return 'object';
  if (isInterfaceType(type)) return 'interface';
  if (isUnionType(type)) return 'union';
  if (isEnumType(type)) return 'enum';
  return isInputObjectType(type) ? 'input' : 'scalar';
}

/** namedTypes are the names of the schema's own types, in the order of the alphabet. */
export function namedTypes(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap()).filter((type) => !isIntrospectionType(type)).map((type) => type.name).sort();
}

/** search finds types by a part of their name, or of the name of one of their fields. Names that begin so come first. */
export function search(schema: GraphQLSchema, text: string): string[] {
  const wanted = text.trim().toLowerCase();
  const names = namedTypes(schema);
  if (!wanted) return names;
  const rank = (name: string): number => {
    const found = name.toLowerCase().indexOf(wanted);
    if (found >= 0) return found === 0 ? 0 : 1;
    return rowsOf(schema, name).some((row) => row.name.toLowerCase().includes(wanted)) ? 2 : 3;
  };
  return names.map((name) => ({ name, rank: rank(name) })).filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank || a.name.localeCompare(b.name)).map(({ name }) => name);
}

/** rowsOf are a type's fields, members or values; none of a type that the schema does not have. */
export function rowsOf(schema: GraphQLSchema, name: string): Row[] {
  const type = schema.getType(name);
  if (isObjectType(type) || isInterfaceType(type)) return Object.values(type.getFields()).map((field) => fieldRow(name, field));
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).map((field) => ({
      ...plain(field.name, field.description), ...typed(field.type), deprecated: field.deprecationReason ?? undefined,
    }));
  }
  if (isUnionType(type)) return type.getTypes().map((member) => ({ ...plain(member.name, member.description), ...typed(member) }));
  if (isEnumType(type)) {
    return type.getValues().map((value) => ({ ...plain(value.name, value.description), deprecated: value.deprecationReason ?? undefined }));
  }
  return [];
}

function fieldRow(owner: string, field: GraphQLField<unknown, unknown>): Row {
  return {
    ...plain(field.name, field.description), ...typed(field.type),
    arguments: field.args.map((argument) => ({
      name: argument.name, type: String(argument.type), named: getNamedType(argument.type).name, description: argument.description ?? undefined,
    })),
    scope: scopeOf(`${owner}.${field.name}`), personal: personal(`${owner}.${field.name}`),
    deprecated: field.deprecationReason ?? undefined,
  };
}

function plain(name: string, description?: string | null): Row {
  return { name, description: description ?? undefined, arguments: [], personal: false };
}

function typed(type: GraphQLType): Pick<Row, 'type' | 'named' | 'target'> {
  const named = getNamedType(type);
  return { type: String(type), named: named.name, target: targetOf(named) };
}

/** targetOf looks through the pages of lists, as they only stand between a type and what it lists. */
function targetOf(type: GraphQLNamedType): string | undefined {
  if (kindOf(type) === 'scalar' || kindOf(type) === 'enum') return undefined;
  if (!isObjectType(type) || !type.name.endsWith('Connection')) return type.name;
  const edge = type.getFields().edges && getNamedType(type.getFields().edges.type);
  const node = isObjectType(edge) && edge.getFields().node;
  return node ? getNamedType(node.type).name : type.name;
}
