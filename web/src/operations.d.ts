declare module 'virtual:operations' {
  import type { Entry } from '../operations/collect';

  /** entries are the operations that the explorer offers. */
  export const entries: Entry[];
}
