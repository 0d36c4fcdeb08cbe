import { WHOLE_LOSS, type AgreementName } from '../../../crds/wire/agreement.ts';
import { AGREEMENTS } from '../../../server/core/agreement.ts';
import type { AnswerOutput } from '../answer-output.ts';
import type { InferClient } from '../replay/infer-client.ts';
import { toTenths } from './scope-evidence.ts';
import type { InferAnswer } from '../replay/infer-codec.ts';
import { createSlots } from '../replay/slots.ts';
import type { EarlyRow } from './run-tally.ts';

/** Rows that exits answered, and what they lose: those that the backbone answers otherwise, or the sum of what their boxes lose. */
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
  readonly output: Pick<AnswerOutput, 'parts'>;
  /** What the budget of the service bounds. */
  readonly agreement: AgreementName;
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
  const { unitsOf, rowUnits } = AGREEMENTS[options.agreement];
  const scopesOf = (row: EarlyRow): TrueDisagreement[] => [
    run,
    ...(row.inServing ? [serving] : []),
    ...(row.isExposed ? [exposed] : []),
  ];
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
      .then((answer) => {
        if (answer === null) failures += 1;
        else
          batch.forEach((row, i) => {
            const label = options.labels?.[row.row.index] ?? null;
            const backboneClass = answer.classIds[i] ?? -1;
            const lossTenths = lossOf(row, answer, i, options.output);
            const lost = unitsOf(lossTenths) / rowUnits;
            for (const scope of scopesOf(row)) {
              scope.compared += 1;
              scope.k = toTenths(scope.k + lost);
              if (label === backboneClass) scope.backboneRight += 1;
            }
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
): Promise<InferAnswer | null> {
  // Buffers of a source are valid until its next read only.
  const rows = batch.map(({ row }) => Buffer.from(row.source.readRow(row.index)));
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const outcome = await client.infer(rows, 'backbone');
    if (outcome.ok) return outcome.answer;
  }
  return null;
}

/** By the parts of both answers, else whole where their classes differ. */
function lossOf(
  { classId, parts: early }: EarlyRow,
  { classIds, parts: backbone }: InferAnswer,
  row: number,
  { parts }: Pick<AnswerOutput, 'parts'>,
): number {
  const own = backbone?.[row];
  if (parts !== null && early !== null && own !== undefined) return parts.lossTenthsOf(early, own);
  return classIds[row] === classId ? 0 : WHOLE_LOSS;
}
