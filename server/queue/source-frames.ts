import type { Policy } from '../../crds/wire/policy.ts';
import type { Clock } from '../clock.ts';
import { createFrameMemory, type FrameTurn } from '../core/detection/frame-memory.ts';
import type { KeptRow, RecalledRow } from '../engine/engine-client.ts';
import type { BatchRow } from './batch-log.ts';
import type { PendingRow } from './job.ts';

/** Key frames of all sources. A server has one memory, whatever worker runs a frame. */
export interface SourceFrames {
  /** Counts the rows of a batch as frames of their sources. */
  open(rows: readonly PendingRow[], batchRows: readonly BatchRow[]): BatchFrames;
  /** Nothing of before answers any more. */
  forget(): void;
}

/** Frames of one batch. */
export interface BatchFrames {
  /** Rows that an earlier frame may answer. */
  readonly recalled: readonly RecalledRow[];
  /** Whether the row is to be a key frame. */
  isKey(row: number): boolean;
  /** The backbone has answered. */
  keep(kept: readonly KeptRow[]): void;
}

/** Frames of a source that a key frame may answer (exits.md 12). */
const MAX_AGE = 5;
const LIMITS = { maxAge: MAX_AGE, maxSources: 4_096, maxBytes: 64 * 2 ** 20, expiryMs: 10_000 };

/** Longer values name no source. */
const MAX_SOURCE_LENGTH = 256;

/** The source that a request names; null: none. The header is part of it: another header names other sources. */
export function sourceOf(
  policy: Policy | null,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): string | null {
  const exit = policy?.exits.find(
    ({ sourceHeader, mode }) => sourceHeader !== undefined && mode !== 'Disabled',
  );
  const name = exit?.sourceHeader?.toLowerCase();
  const value = name === undefined ? undefined : headers[name];
  if (name === undefined || typeof value !== 'string' || value === '') return null;
  return value.length > MAX_SOURCE_LENGTH ? null : `${name}: ${value}`;
}

export function createSourceFrames(clock: Clock): SourceFrames {
  const memory = createFrameMemory(LIMITS);
  return {
    open: (rows, batchRows) => {
      const nowMs = clock.monotonicMs();
      const turns = rows.map(({ pending, failures }): FrameTurn | null => {
        const { source } = pending.job;
        // It was counted when it came first.
        return source === null || failures > 0 ? null : memory.take(source, nowMs);
      });
      // Who asks for the backbone gets it, and steers nobody's next frames.
      const turnAt = (row: number): FrameTurn | null =>
        mayTakePart(batchRows[row]) ? (turns[row] ?? null) : null;
      return {
        recalled: [...turns.keys()].flatMap((row) => {
          const key = turnAt(row)?.key ?? null;
          return key === null ? [] : [{ row, key }];
        }),
        isKey: (row) => turnAt(row)?.key === null,
        keep: (kept) => {
          for (const { row, frame } of kept) {
            // What came over the wire is a view of its whole frame.
            turnAt(row)?.keep({ ...frame, features: frame.features.slice() });
          }
        },
      };
    },
    forget: () => {
      memory.clear();
    },
  };
}

function mayTakePart(row: BatchRow | undefined): boolean {
  return row?.forced === null || row?.forced === 'exits_off';
}
