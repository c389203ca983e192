import { isInterfaceType, isObjectType, type GraphQLNamedType, type GraphQLSchema } from 'graphql';
import { nodeScopeOf } from './scopes';
import { kindOf, rowsOf, type Argument, type Row } from './types';

interface DetailsProps {
  schema: GraphQLSchema;
  name: string;
  onVisit: (name: string) => void;
  onShowType?: (name: string) => void;
}

/** TypeDetails says all of one type. */
export function TypeDetails({ schema, name, onVisit, onShowType }: DetailsProps) {
  const type = schema.getType(name);
  if (!type) return null;
  const scope = nodeScopeOf(name);
  return (
    <section className="schema-details" aria-live="polite" aria-labelledby="schema-type">
      <header>
        <h2 id="schema-type">{name}</h2>
        <span className="pic-chip" data-tone="plain">{kindOf(type)}</span>
        {onShowType && <button type="button" onClick={() => onShowType(name)}>Open in the documentation</button>}
      </header>
      {type.description && <p>{type.description}</p>}
      {scope && <p className="pic-quiet">Found by its id with <Scope scope={scope} /></p>}
      <Relatives names={interfacesOf(type)} title="Is a" onVisit={onVisit} />
      <Relatives names={membersOf(schema, type)} title="Can be" onVisit={onVisit} />
      <ul className="schema-rows">{rowsOf(schema, name).map((row) => <li key={row.name}><RowDetails row={row} onVisit={onVisit} /></li>)}</ul>
    </section>
  );
}

function interfacesOf(type: GraphQLNamedType): string[] {
  return isObjectType(type) || isInterfaceType(type) ? type.getInterfaces().map((each) => each.name) : [];
}

function membersOf(schema: GraphQLSchema, type: GraphQLNamedType): string[] {
  return isInterfaceType(type) ? schema.getPossibleTypes(type).map((each) => each.name) : [];
}

function Relatives({ names, title, onVisit }: { names: string[]; title: string; onVisit: (name: string) => void }) {
  if (names.length === 0) return null;
  return <p className="pic-quiet schema-relatives">{title} {names.map((name) => <TypeLink key={name} text={name} name={name} onVisit={onVisit} />)}</p>;
}

function RowDetails({ row, onVisit }: { row: Row; onVisit: (name: string) => void }) {
  return (
    <>
      <p className="schema-row-head">
        <code>{row.name}</code>
        {row.type && row.named && <TypeLink text={row.type} name={row.named} onVisit={onVisit} />}
        {row.scope && <Scope scope={row.scope} />}
        {row.personal && <span className="pic-chip" data-tone="wait">masked without read:pii</span>}
        {row.deprecated !== undefined && <span className="pic-chip" data-tone="bad">deprecated</span>}
      </p>
      {row.description && <p className="pic-quiet">{row.description}</p>}
      {row.deprecated && <p className="pic-quiet">{row.deprecated}</p>}
      {row.arguments.length > 0 && (
        <ul className="schema-arguments" aria-label={`Arguments of ${row.name}`}>
          {row.arguments.map((argument) => <li key={argument.name}><ArgumentDetails argument={argument} onVisit={onVisit} /></li>)}
        </ul>
      )}
    </>
  );
}

function ArgumentDetails({ argument: { name, type, named, description }, onVisit }: { argument: Argument; onVisit: (name: string) => void }) {
  return <><code>{name}</code> <TypeLink text={type} name={named} onVisit={onVisit} /> <span className="pic-quiet">{description}</span></>;
}

function TypeLink({ text, name, onVisit }: { text: string; name: string; onVisit: (name: string) => void }) {
  return <button type="button" className="schema-link" onClick={() => onVisit(name)}>{text}</button>;
}

function Scope({ scope }: { scope: string }) {
  return <span className="pic-chip" data-tone="plain" title={`For tokens with the scope ${scope}`}>{scope}</span>;
}
