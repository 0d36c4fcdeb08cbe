import type { InferClient } from '../replay/infer-client.ts';
import { createSlots } from '../replay/slots.ts';
import type { EarlyRow } from './run-tally.ts';

/** Rows that exits answered, and those of them that the backbone answers otherwise. */
export interface TrueDisagreement {
  compared: number;
  k: number;
  /** Rows of them whose label is the backbone's class. */
  backboneRight: number;
}

/** By scope; exposed: drifted rows that were answered before exits went off for them. */
export interface Truth {
  readonly run: TrueDisagreement;
  readonly serving: TrueDisagreement;
  readonly exposed: TrueDisagreement;
}

export interface TruthOptions {
  readonly client: InferClient;
  readonly labels: Int32Array | null;
  readonly rowsPerRequest: number;
  readonly concurrency: number;
  readonly isStopped: () => boolean;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Runs the backbone on every row that an exit answered: what the certificate bounds, counted instead of estimated. It decides
 * nothing. Null when it was interrupted, or the backbone did not answer a batch even when asked again.
 */
export async function countTrueDisagreement(
  early: readonly EarlyRow[],
  options: TruthOptions,
): Promise<Truth | null> {
  const nothing = (): TrueDisagreement => ({ compared: 0, k: 0, backboneRight: 0 });
  const { run, serving, exposed } = { run: nothing(), serving: nothing(), exposed: nothing() };
  const slots = createSlots(options.concurrency);
  let failures = 0;
  for (let start = 0; start < early.length; start += options.rowsPerRequest) {
    await slots.acquire();
    if (failures > 0 || options.isStopped()) {
      slots.release();
      break;
    }
    const batch = early.slice(start, start + options.rowsPerRequest);
    void askBackbone(batch, options.client)
      .then((classIds) => {
        if (classIds === null) failures += 1;
        else
          batch.forEach((row, i) => {
            const label = options.labels?.[row.row.index] ?? null;
            const answer = { backboneClass: classIds[i] ?? -1, label };
            count(run, row, answer);
            if (row.inServing) count(serving, row, answer);
            if (row.isExposed) count(exposed, row, answer);
          });
        options.onProgress(run.compared, early.length);
      })
      .finally(() => {
        slots.release();
      });
  }
  await slots.idle();
  return run.compared === early.length ? { run, serving, exposed } : null;
}

const TRIES = 3;

async function askBackbone(
  batch: readonly EarlyRow[],
  client: InferClient,
): Promise<readonly number[] | null> {
  // Buffers of a source are valid until its next read only.
  const rows = batch.map(({ row }) => Buffer.from(row.source.readRow(row.index)));
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const outcome = await client.infer(rows, 'backbone');
    if (outcome.ok) return outcome.answer.classIds;
  }
  return null;
}

function count(
  scope: TrueDisagreement,
  early: EarlyRow,
  answer: { readonly backboneClass: number; readonly label: number | null },
): void {
  scope.compared += 1;
  if (answer.backboneClass !== early.classId) scope.k += 1;
  if (answer.label === answer.backboneClass) scope.backboneRight += 1;
}
