/**
 * Why an engine host ended: the closed list that metrics count.
 * `exit` it ended by itself, or its connection did; `signal` the system ended it; `stuck` it was silent or a batch did not end;
 * `memory` it had grown too large; `garbled` it sent what is no frame; `wrong_answers` its backbone no longer answers as it did.
 */
export type HostEndCause = 'exit' | 'signal' | 'stuck' | 'memory' | 'garbled' | 'wrong_answers';

export interface HostEnd {
  readonly cause: HostEndCause;
  /** For people. */
  readonly detail: string;
}
