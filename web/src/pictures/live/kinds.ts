// What of the schema the live pane needs to know.
import type { Session } from '../../session';
import { kindsDocument } from './documents';

interface Named { name: string | null; fields: { name: string }[] | null; ofType?: Named | null }
interface Values { enumValues: { name: string }[] | null }
interface Answered {
  types: Values | null;
  providers: Values | null;
  streams: { fields: { name: string; type: Named }[] } | null;
}

/** Kinds are what can be filtered by, and whether the health of providers can be followed. */
export interface Kinds {
  types: string[];
  providers: string[];
  /** health is "asked" where the schema has no stream of it, else whether the provider stands in a field of what comes. */
  health: 'asked' | 'provider' | 'inside';
}

/** noKinds is what a session knows that may not look at the schema. */
export const noKinds: Kinds = { types: [], providers: [], health: 'asked' };

/** loadKinds looks at the schema. */
export async function loadKinds(session: Session): Promise<Kinds> {
  try {
    const { data } = await session.request<Answered>(kindsDocument);
    return data ? kindsOf(data) : noKinds;
  } catch {
    return noKinds; // whatever stands in the way of asking is said by what asks for events
  }
}

function kindsOf({ types, providers, streams }: Answered): Kinds {
  const stream = streams?.fields.find((field) => field.name === 'providerHealth');
  const fields = stream ? fieldsOf(stream.type) : [];
  return {
    types: valuesOf(types), providers: valuesOf(providers),
    health: !stream ? 'asked' : fields.includes('status') ? 'provider' : 'inside',
  };
}

function valuesOf(values: Values | null): string[] {
  return (values?.enumValues ?? []).map((value) => value.name).filter((name) => name !== 'UNKNOWN');
}

/** fieldsOf are the fields of the type inside of lists and non-nulls. */
function fieldsOf(type: Named): string[] {
  return type.ofType ? fieldsOf(type.ofType) : (type.fields ?? []).map((field) => field.name);
}
