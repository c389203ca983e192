import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import * as live from './live/documents';
import * as summary from './summary/documents';
import { writtenSchema } from './testing/schema';

const schema = writtenSchema();
const followable = schema.getSubscriptionType()!.getFields().providerHealth;
const documents = {
  ...summary,
  followDocument: live.followDocument, lastDocument: live.lastDocument, probeDocument: live.probeDocument,
  healthDocument: live.healthDocument, kindsDocument: live.kindsDocument, streamsDocument: live.streamsDocument,
};

test.each(Object.entries(documents))('%s goes with the schema', (_, document) => {
  expect(validate(schema, parse(document)).map((error) => error.message)).toEqual([]);
});

test.runIf(followable)('the health of providers is followed as the schema has it', () => {
  const valid = [true, false].filter((inside) => validate(schema, parse(live.healthStream(inside))).length === 0);
  expect(valid).toHaveLength(1);
});
