import type { Gathered } from './gather.ts';
import type { PassAttempt } from './pass-attempt.ts';
import type { ServiceMemory } from './service-memory.ts';
import type { ServiceShell } from './service-shell.ts';

/** One pass over one service. */
export interface ServicePass {
  readonly shell: ServiceShell;
  readonly memory: ServiceMemory;
  readonly gathered: Gathered;
  readonly attempt: PassAttempt;
  /** Asks for a pass after so many milliseconds; the earliest wish wins. */
  readonly lookAgain: (delayMs: number) => void;
}
