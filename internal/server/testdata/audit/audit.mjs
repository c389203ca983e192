// Runs the reference audits of GraphQL over HTTP against the address in CREDITGRAPH_URL, with the token in
// CREDITGRAPH_TOKEN. It prints each audit with its outcome, and fails when any of them does, be it one of a MUST, a
// SHOULD or a MAY.

import { serverAudits } from 'graphql-http';

const { CREDITGRAPH_URL: url, CREDITGRAPH_TOKEN: token } = process.env;
if (!url || !token) {
  throw new Error('set CREDITGRAPH_URL and CREDITGRAPH_TOKEN');
}

const fetchFn = (address, options = {}) =>
  fetch(address, { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } });

let failed = 0;
for (const audit of serverAudits({ url, fetchFn })) {
  const { status, reason } = await audit.fn();
  console.log(`${status === 'ok' ? 'ok' : 'FAILED'} ${audit.id} ${audit.name}${reason ? `: ${reason}` : ''}`);
  failed += status === 'ok' ? 0 : 1;
}
process.exitCode = failed > 0 ? 1 : 0;
