// When a host is to be ended for its size: native allocators and leaks only grow.
import { readFileSync } from 'node:fs';

export interface MemoryWatchOptions {
  /** Null: no limit. */
  readonly limitBytes: number | null;
  /** A host younger than this is not ended for its size, and what it takes by then is what it needs. */
  readonly settleMs: number;
}

/** A host that needs nearly all of the limit by itself would be ended again and again: it may always grow by this. */
const ROOM = 1.25;

export class MemoryWatch {
  private readonly options: MemoryWatchOptions;
  private readonly startedMs: number;
  private neededBytes = 0;

  constructor(options: MemoryWatchOptions, nowMs: number) {
    this.options = options;
    this.startedMs = nowMs;
  }

  /** Why the host is to be drained and ended; null: it may go on. */
  heard(rssBytes: number, nowMs: number): string | null {
    const { limitBytes, settleMs } = this.options;
    if (limitBytes === null) return null;
    if (nowMs - this.startedMs < settleMs) {
      this.neededBytes = Math.max(this.neededBytes, rssBytes);
      return null;
    }
    const mostBytes = Math.max(limitBytes, ROOM * this.neededBytes);
    if (rssBytes <= mostBytes) return null;
    return `it took ${toMiB(rssBytes)} MiB of memory, the limit is ${toMiB(mostBytes)} MiB`;
  }
}

function toMiB(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

const CGROUP_FILES = [
  '/sys/fs/cgroup/memory.max',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes',
] as const;
/** The rest is for the main process: request bodies, samples, evidence. */
const HOST_SHARE = 0.75;
/** Without a limit the kernel tells a number near 2^63. */
const NO_LIMIT_BYTES = 2 ** 50;

/** What the container's memory limit leaves to the engine host; null: there is no limit. */
export function hostShareOfContainer(files: readonly string[] = CGROUP_FILES): number | null {
  for (const file of files) {
    const bytes = readNumber(file);
    if (bytes !== null) return bytes < NO_LIMIT_BYTES ? bytes * HOST_SHARE : null;
  }
  return null;
}

function readNumber(file: string): number | null {
  try {
    const bytes = Number(readFileSync(file, 'utf8'));
    return Number.isFinite(bytes) && bytes > 0 ? bytes : null;
  } catch {
    return null;
  }
}
