// Reading lists page by page.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { Failure, type Answer, type Graph } from './graph.js';
import { CustomersTableDocument, PortfolioDocument, type LoanFilter } from './generated/graphql.js';

/** What all lists of the graph have. */
interface Connection<Node> {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly edges: readonly { readonly node: Node }[];
}

/** Reads a list to its end, one page in memory at a time. The next page is asked for when the last one has been taken. */
export async function* everything<Data, Variables extends Record<string, unknown>, Node>(
  graph: Graph,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  list: (data: Data) => Connection<Node> | null,
): AsyncGenerator<Node> {
  for (let after: string | null = null; ; ) {
    const { data, problems }: Answer<Data> = await graph.query(document, { ...variables, after });
    const page: Connection<Node> | null | undefined = data && list(data);
    if (!page) throw new Failure(problems);
    for (const { node } of page.edges) yield node;
    if (!page.pageInfo.hasNextPage) return;
    after = page.pageInfo.endCursor;
  }
}

export const customers = (graph: Graph, first: number) =>
  everything(graph, CustomersTableDocument, { first }, ({ customers }) => customers);

export const loans = (graph: Graph, first: number, filter: LoanFilter = {}) =>
  everything(graph, PortfolioDocument, { first, filter }, ({ loans }) => loans);
