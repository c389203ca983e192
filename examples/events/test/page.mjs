// Prints the ids of the events behind a cursor, read as the page reads them.
import { stream } from '../stream.mjs';

const { CREDITGRAPH_URL, CREDITGRAPH_TOKEN: token } = process.env;
const [, , lastSeen] = process.argv;
const query = 'subscription { events { event { id } } }';

for await (const { data } of stream({ url: new URL('/graphql', CREDITGRAPH_URL), token, query, lastSeen, tell: console.error })) {
  console.log(data.data.events.event.id);
}
