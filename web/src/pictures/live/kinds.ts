// What of the schema the live pane needs to know.
import type { Session } from '../../session';
import { kindsDocument, streamsDocument } from './documents';

interface Named { name: string | null; fields: { name: string }[] | null; ofType?: Named | null }
interface Values { enumValues: { name: string }[] | null }
interface Choices { types: Values | null; providers: Values | null }
interface Streams { streams: { fields: { name: string; type: Named }[] } | null }

/** Kinds are what can be filtered by, and whether the health of providers can be followed. */
export interface Kinds {
  types: string[];
  providers: string[];
  /** health is "asked" where the schema has no stream of it, else whether the provider stands in a field of what comes. */
  health: 'asked' | 'provider' | 'inside';
}

/** noKinds is what a session knows that may not look at the schema. */
export const noKinds: Kinds = { types: [], providers: [], health: 'asked' };

const opening = ['read:events', 'operate']; // the scopes that open the schema

/** loadKinds looks at the schema, where the session may. */
export async function loadKinds(session: Session): Promise<Kinds> {
  if (!session.scopes.some((scope) => opening.includes(scope))) return noKinds;
  try {
    const [choices, streams] = await Promise.all([session.request<Choices>(kindsDocument), session.request<Streams>(streamsDocument)]);
    return {
      types: valuesOf(choices.data?.types), providers: valuesOf(choices.data?.providers), health: healthIn(streams.data),
    };
  } catch {
    return noKinds; // whatever stands in the way of asking is said by what asks for events
  }
}

function healthIn(data: Streams | null | undefined): Kinds['health'] {
  const stream = data?.streams?.fields.find((field) => field.name === 'providerHealth');
  if (!stream) return 'asked';
  return fieldsOf(stream.type).includes('status') ? 'provider' : 'inside';
}

function valuesOf(values: Values | null | undefined): string[] {
  return (values?.enumValues ?? []).map((value) => value.name).filter((name) => name !== 'UNKNOWN');
}

/** fieldsOf are the fields of the type inside of lists and non-nulls. */
function fieldsOf(type: Named): string[] {
  return type.ofType ? fieldsOf(type.ofType) : (type.fields ?? []).map((field) => field.name);
}
