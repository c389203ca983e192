// Sending an action so that it happens at most once.
import { Failure, type Graph, type Problem } from './graph.js';
import { ApplyForLoanDocument, OperationUpdatesDocument, type ApplyForLoanInput, type ApplyForLoanMutation, type OpFragment } from './generated/graphql.js';
import { lockedOut, pause } from './settings.js';

type Payload = NonNullable<ApplyForLoanMutation['applyForLoan']>;

/** What the sender can mend. Nothing was sent to the provider. */
export class Refused extends Error {
  constructor(readonly userErrors: Payload['userErrors']) {
    super(userErrors.map(({ code, message, field }) => `${code} ${field?.join('.') ?? ''}: ${message}`).join('\n'));
  }
}

const attempts = 5;

/**
 * Applies for a loan. Where no answer comes, or the service says that it may be tried again, it is sent again with the
 * same key: the service does it once, however often it is asked. It is never sent with another key.
 */
export async function apply(graph: Graph, input: ApplyForLoanInput): Promise<Payload> {
  for (let attempt = 1; ; attempt++) {
    let problems: readonly Problem[];
    try {
      const answer = await graph.mutate(ApplyForLoanDocument, { input });
      const payload = answer.data?.applyForLoan;
      if (payload && payload.userErrors.length > 0) throw new Refused(payload.userErrors);
      if (payload?.operation && !again(payload.operation)) return payload;
      problems = answer.problems;
    } catch (cause) {
      if (cause instanceof Refused || attempt === attempts) throw cause;
      await pause(attempt);
      continue;
    }
    if (attempt === attempts || !problems.some(({ retryable }) => retryable)) throw new Failure(problems);
    await pause(attempt);
  }
}

/** Whether an operation failed in a way that another attempt may mend. */
const again = ({ status, failure }: OpFragment) => status === 'FAILED' && failure?.retryable === true;

const open = ['IN_PROGRESS', 'AWAITING_PROVIDER', 'OUTCOME_UNKNOWN'];

/** Waits until an operation is settled or needs the customer, through any interruption. It is told of each state. */
export async function settled(graph: Graph, id: string, tell: (operation: OpFragment) => void): Promise<OpFragment> {
  for (let attempt = 0; ; attempt++) {
    let last: OpFragment | undefined;
    const ending = await graph.follow(OperationUpdatesDocument, { id }, ({ operationUpdated }) => {
      last = operationUpdated;
      attempt = 0;
      tell(operationUpdated);
      return open.includes(operationUpdated.status) ? 'more' : 'enough';
    });
    if (last && !open.includes(last.status)) return last;
    if ('problems' in ending && !ending.problems.some(({ retryable }) => retryable)) throw new Failure(ending.problems);
    if (lockedOut()) throw new Error('The token is not valid.');
    await pause(attempt);
  }
}
