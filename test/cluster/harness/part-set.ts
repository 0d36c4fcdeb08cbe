import type { PartCommand, PartProcess } from './part-process.ts';
import { startPart } from './part-process.ts';

/** The parts of one cluster by name, each of which can be ended, started again, frozen and thawed. */
export interface PartSet<Part extends string> {
  readonly start: (part: Part) => void;
  readonly kill: (part: Part) => Promise<void>;
  readonly freeze: (part: Part) => void;
  readonly thaw: (part: Part) => void;
  /** Throws with the end of its log when the part is no longer running. */
  readonly expectRunning: (part: Part) => void;
  readonly stopAll: () => Promise<void>;
}

export function createPartSet<Part extends string>(
  commandOf: (part: Part) => PartCommand,
): PartSet<Part> {
  const running = new Map<Part, PartProcess>();
  const named = (part: Part): PartProcess => {
    const process = running.get(part);
    if (process === undefined) throw new Error(`${part} was not started in this cluster`);
    return process;
  };
  return {
    start: (part) => {
      if (running.get(part)?.isRunning === true) return;
      running.set(part, startPart(commandOf(part)));
    },
    kill: (part) => named(part).kill(),
    freeze: (part) => {
      named(part).signal('SIGSTOP');
    },
    thaw: (part) => {
      named(part).signal('SIGCONT');
    },
    expectRunning: (part) => {
      const process = named(part);
      if (!process.isRunning) throw new PartEnded(part, process.logTail());
    },
    stopAll: async () => {
      await Promise.all([...running.values()].map((process) => process.kill()));
      running.clear();
    },
  };
}

export class PartEnded extends Error {
  constructor(part: string, logTail: string) {
    super(`${part} ended; its last words:\n${logTail}`);
  }
}
