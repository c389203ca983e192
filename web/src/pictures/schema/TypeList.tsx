import type { GraphQLSchema } from 'graphql';
import { kindOf, kinds, namedTypes, type Kind } from './types';

const titles: Record<Kind, string> = {
  object: 'Objects', interface: 'Interfaces', union: 'Unions', enum: 'Enums', input: 'Inputs', scalar: 'Scalars',
};

/** TypeList lists all types by kind. */
export function TypeList({ schema, focus, onVisit }: { schema: GraphQLSchema; focus: string; onVisit: (name: string) => void }) {
  const names = namedTypes(schema);
  return (
    <nav className="schema-list" aria-label="Types">
      {kinds.map((kind) => {
        const here = names.filter((name) => kindOf(schema.getType(name)!) === kind);
        return here.length === 0 ? null : (
          <section key={kind}>
            <h3>{titles[kind]}</h3>
            <ul>
              {here.map((name) => (
                <li key={name}><button type="button" aria-current={name === focus ? 'true' : undefined} onClick={() => onVisit(name)}>{name}</button></li>
              ))}
            </ul>
          </section>
        );
      })}
    </nav>
  );
}
