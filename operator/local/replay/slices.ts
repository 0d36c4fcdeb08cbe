import type { InferAnswer } from './infer-codec.ts';
import type { InferClient, InferOutcome } from './infer-client.ts';
import type { PlannedRow } from '../traffic/traffic-plan.ts';

/** Client latencies at concurrency 1, the backbone alone and with exits, on the same rows. */
export interface SliceLatencies {
  readonly backboneMs: number[];
  readonly layercacheMs: number[];
}

export interface SliceHooks {
  /** Rows of the layercache slices are traffic like any other. */
  onAnswer(row: PlannedRow, answer: InferAnswer, latencyMs: number): void;
  onError(code: string): void;
  onOptedOut(): void;
  /** Closes the evidence windows, so that opted-out rows are alone in theirs. */
  closeWindows(): Promise<void>;
}

/**
 * One group in ABBA order, so that a drift of the machine's speed falls on both alike: plain(a) layercache(a) layercache(b)
 * plain(b). Opted-out rows are never audited, so sending a row twice makes no evidence.
 */
export async function runSlices(
  client: InferClient,
  rows: readonly PlannedRow[],
  hooks: SliceHooks,
  latencies: SliceLatencies,
): Promise<void> {
  const half = Math.ceil(rows.length / 2);
  const [first, second] = [rows.slice(0, half), rows.slice(half)];
  // They are no frames of their clips: what is asked for again leaves no place among them.
  const plain = async (slice: readonly PlannedRow[]): Promise<void> => {
    await hooks.closeWindows();
    await inTurn(client, slice, 'backbone', (_, outcome) => {
      if (!outcome.ok) {
        hooks.onError(outcome.code);
        return;
      }
      hooks.onOptedOut();
      latencies.backboneMs.push(outcome.latencyMs);
    });
    await hooks.closeWindows();
  };
  const layercache = (slice: readonly PlannedRow[]): Promise<void> =>
    inTurn(client, slice, 'auto', (row, outcome) => {
      if (!outcome.ok) {
        hooks.onError(outcome.code);
        return;
      }
      latencies.layercacheMs.push(outcome.latencyMs);
      hooks.onAnswer(row, outcome.answer, outcome.latencyMs);
    });
  await plain(first);
  await layercache(first);
  await layercache(second);
  await plain(second);
}

async function inTurn(
  client: InferClient,
  slice: readonly PlannedRow[],
  mode: 'auto' | 'backbone',
  onOutcome: (row: PlannedRow, outcome: InferOutcome) => void,
): Promise<void> {
  for (const row of slice) {
    const clip = mode === 'auto' ? row.clip : null;
    onOutcome(row, await client.infer([row.source.readRow(row.index)], mode, clip));
  }
}
