// The graph's schema, as the graph tells it.
import { buildClientSchema, getIntrospectionQuery, type GraphQLSchema, type IntrospectionQuery } from 'graphql';
import { useEffect, useState } from 'react';
import type { Session } from './session';

/** SchemaState is the schema once it has come, or why it has not. */
export interface SchemaState {
  schema: GraphQLSchema | null;
  problem?: string;
}

/** useSchema reads the schema once. The reader may not be the one who is signed in: not every token opens it. */
export function useSchema(reader: Session | null): SchemaState {
  const [state, setState] = useState<SchemaState>({ schema: null });
  const known = state.schema !== null;
  useEffect(() => {
    if (known) return;
    if (!reader) {
      setState({ schema: null, problem: 'This token may not read the schema: that needs the scope read:events or operate.' });
      return;
    }
    let current = true;
    reader.request<IntrospectionQuery>(getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true })).then(
      ({ data, errors }) => {
        if (!current) return;
        if (data) setState({ schema: buildClientSchema(data) });
        else setState({ schema: null, problem: errors?.map(({ message }) => message).join(' ') });
      },
      (error: Error) => current && setState({ schema: null, problem: error.message }),
    );
    return () => {
      current = false;
    };
  }, [reader, known]);
  return state;
}
