import type { Child } from '../local/processes/child.ts';

/** Exit code of what a signal ended, as shells have it for Ctrl-C. */
export const INTERRUPTED = 130;

/** Ctrl-C and SIGTERM: the first asks for an orderly end, the second kills every child and ends at once. */
export interface Interrupt {
  readonly signal: AbortSignal;
  readonly addChild: (child: Child) => void;
  close(): void;
}

export function createInterrupt(): Interrupt {
  const controller = new AbortController();
  const children: Child[] = [];
  const onSignal = (): void => {
    if (!controller.signal.aborted) {
      controller.abort();
      return;
    }
    for (const child of children) child.kill();
    process.exit(INTERRUPTED);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    addChild: (child) => children.push(child),
    close: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
