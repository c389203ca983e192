// What tests have in the place of a browser's parts.

/** Shelf is a Storage. */
export class Shelf {
  [key: string]: unknown;

  get length() {
    return Object.keys(this).length;
  }

  getItem(key: string) {
    return (this[key] as string | undefined) ?? null;
  }

  setItem(key: string, value: string) {
    this[key] = value;
  }

  removeItem(key: string) {
    delete this[key];
  }
}

/** Sent is a request that was made. */
export interface Sent {
  url: string;
  init: RequestInit;
}

/** answering is a fetch that gives these answers, one after the other, and keeps what was sent. */
export function answering(...answers: { status?: number; body?: unknown; headers?: Record<string, string> }[]) {
  const sent: Sent[] = [];
  const fetch = async (url: string, init: RequestInit = {}) => {
    sent.push({ url, init });
    const answer = answers.shift();
    if (!answer) throw new Error(`nobody expected ${url}`);
    const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
    return new Response(body, { status: answer.status ?? 200, headers: answer.headers });
  };
  return { sent, fetch };
}
