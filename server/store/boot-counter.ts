import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * Remembers which policy is being applied, so that one that kills the process twice is skipped at the third start.
 * Synchronous on purpose: the note must be on the disk before the step that may be the last.
 */
export interface BootCounter {
  /** True when the process died twice while it applied exactly this pair. */
  isDeadly(pair: PolicyPair): boolean;
  started(pair: PolicyPair): void;
  ended(): void;
}

export interface PolicyPair {
  readonly epoch: number;
  readonly revision: number;
}

const DEATHS = 2;
const noteSchema = z.strictObject({
  epoch: z.number().int(),
  revision: z.number().int(),
  starts: z.number().int(),
});
type Note = z.infer<typeof noteSchema>;

export function createBootCounter(cacheDir: string | null): BootCounter {
  const path = cacheDir === null ? null : join(cacheDir, 'applying.json');
  const note = path === null ? null : readNote(path);
  const startsOf = ({ epoch, revision }: PolicyPair) =>
    note?.epoch === epoch && note.revision === revision ? note.starts : 0;

  return {
    isDeadly: (pair) => startsOf(pair) >= DEATHS,
    started: (pair) => {
      if (path === null || cacheDir === null) return;
      const next: Note = { epoch: pair.epoch, revision: pair.revision, starts: startsOf(pair) + 1 };
      try {
        mkdirSync(cacheDir, { recursive: true });
        writeFileSync(`${path}.tmp`, JSON.stringify(next), { flush: true });
        renameSync(`${path}.tmp`, path);
      } catch {
        // A read-only disk loses this protection, not the service.
      }
    },
    ended: () => {
      if (path === null) return;
      try {
        rmSync(path, { force: true });
      } catch {
        // As above.
      }
    },
  };
}

function readNote(path: string): Note | null {
  try {
    const parsed = noteSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
