// Who is signed in, and with which token. Tokens live in this page's memory and in its sessionStorage, which ends
// with the tab; never in an address, and never in localStorage.

/** Account is a client of the graph with a token of its. */
export interface Account {
  role: string;
  scopes: string[];
  token: string;
  /** expiresAt is when the token ends, in milliseconds since 1970; undefined where only the server knows. */
  expiresAt?: number;
}
