// node dist/main.js CLIENT COMMAND [ARGUMENT…], where CLIENT is apollo or urql:
//
//   customers [PAGE SIZE]       all customers
//   loans [PAGE SIZE]           all loans
//   summary CUSTOMER            a customer's standing
//   apply CUSTOMER KEY [NAIRA]  apply for a loan, once for each KEY
//   follow [CURSOR]             the events as they happen
//
// It ends with 2 where the input has to be mended, and with 1 where something failed.
import { Refused, apply, settled } from './action.js';
import { apollo } from './apollo.js';
import { follow, newest } from './events.js';
import type { Graph } from './graph.js';
import { customers, loans } from './pages.js';
import { summary } from './summary.js';
import { urql } from './urql.js';

const clients: Record<string, () => Graph> = { apollo, urql };

const say = (text: string) => console.error(text);

const commands: Record<string, (graph: Graph, ...given: string[]) => Promise<void>> = {
  async customers(graph, first = '20') {
    for await (const { id, fullName } of customers(graph, Number(first))) console.log(fullName, id);
  },
  async loans(graph, first = '20') {
    for await (const { id, status, principal } of loans(graph, Number(first))) console.log(status, principal.amount, principal.currency, id);
  },
  async summary(graph, id = '') {
    const { exposure, sources } = await summary(graph, id);
    for (const { currency, outstanding } of exposure ?? []) console.log('owes', outstanding.amount, currency);
    for (const { provider, status, error } of sources) console.log(provider, status, error?.code ?? '');
  },
  async apply(graph, customerId = '', idempotencyKey = '', amount = '500000') {
    const { operation, loan } = await apply(graph, {
      idempotencyKey,
      customerId,
      provider: 'KREDETE',
      productId: 'prod_personal_loan',
      principal: { amount, currency: 'NGN' },
      tenure: { value: 90, unit: 'DAY' },
      purpose: 'EXPANSION_AND_GROWTH',
      disbursementAccount: { bankCode: '058', accountNumber: '1234567890', accountName: 'A. Person' },
    });
    if (!operation) return;
    console.log(operation.status, operation.replayed ? 'replayed' : 'new', loan?.id ?? '-', operation.id);
    if (operation.status !== 'OUTCOME_UNKNOWN' && operation.status !== 'IN_PROGRESS') return;
    say('it is not known whether there is a loan; waiting until it is');
    const { status } = await settled(graph, operation.id, ({ status }) => say(`the operation is ${status}`));
    console.log('settled', status);
  },
  async follow(graph, after) {
    const begin = after || (await newest(graph));
    say(`behind ${begin}`);
    await follow(graph, begin, ({ type, occurredAt, loan, id }) => console.log(occurredAt, type, loan?.status ?? '-', id), say);
  },
};

const [client = '', command = '', ...given] = process.argv.slice(2);
const graph = clients[client]?.();
const run = commands[command];
if (!graph || !run) {
  say(`node dist/main.js ${Object.keys(clients).join('|')} ${Object.keys(commands).join('|')} [ARGUMENT…]`);
  process.exit(2);
}
try {
  await run(graph, ...given);
  process.exit(0); // not waiting for connections that are kept open for the next request
} catch (problem) {
  say(problem instanceof Error ? problem.message : String(problem));
  process.exit(problem instanceof Refused ? 2 : 1);
}
