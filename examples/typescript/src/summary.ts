// A customer's standing in one request.
import { Failure, type Graph } from './graph.js';
import { CustomerCreditSummaryDocument, type CustomerCreditSummaryQuery } from './generated/graphql.js';

type Summary = NonNullable<NonNullable<CustomerCreditSummaryQuery['customer']>['creditSummary']>;

/** The summary. A provider that is down costs its part: `sources` says which, and why. */
export async function summary(graph: Graph, id: string): Promise<Summary> {
  const freshness = { maxAge: 'PT5M', allowStale: true };
  const { data, problems } = await graph.query(CustomerCreditSummaryDocument, { id, freshness });
  if (!data?.customer?.creditSummary) throw new Failure(problems);
  return data.customer.creditSummary;
}
