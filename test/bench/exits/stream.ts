import { createHash } from 'node:crypto';
import type { ModelDescription } from '../../../server/engine/segment-engine.ts';
import { loadModelDescription } from '../../../operator/local/traffic/model-description.ts';
import { openTraffic } from '../../../operator/local/traffic/open-traffic.ts';
import { createRowEncoder, type RowEncoder } from '../../../operator/local/traffic/row-encoder.ts';
import type { TrafficSource } from '../../../operator/local/traffic/source.ts';
import { planTraffic, type PlannedRow } from '../../../operator/local/traffic/traffic-plan.ts';

/** A backbone and the rows that it is asked. */
export interface ExitsCase {
  readonly name: string;
  readonly modelPath: string;
  /** As `local run --traffic` takes it. */
  readonly traffic: string;
  /** Rows for heads alone; null: the first part of the traffic trains them. */
  readonly headTraffic: string | null;
  /** File of labels where the traffic has none of its own. */
  readonly labels: string | null;
  /** Rows of each source to use at most; null: all. */
  readonly rows: number | null;
}

/** Rows in the order of a local run; those of training never come again. */
export interface CaseRows {
  readonly training: readonly PlannedRow[];
  readonly serving: readonly PlannedRow[];
  /** Of the serving rows; null: unknown. */
  readonly labels: Int32Array | null;
  /** Of the bytes of all rows in order. */
  readonly digest: string;
  close(): void;
}

const SEED = 1;

/** Cuts the traffic into rows that train heads and rows that are judged, as `local run --seed 1` does. */
export async function openRows(
  { traffic, headTraffic, labels, rows: limit }: ExitsCase,
  classCount: number,
): Promise<CaseRows> {
  const rows = await openTraffic(traffic, '--traffic');
  const ofHeads = headTraffic === null ? null : await openTraffic(headTraffic, '--head-traffic');
  const known = labels === null ? rows.labels : await readLabels(labels);
  const plan = planTraffic({
    ...{ traffic: rows, headTraffic: ofHeads, classCount, seed: SEED },
    ...{ requests: limit, loop: false, trains: true, drift: null, keepsOrder: false },
  });
  const training = allRows(plan.nextTraining, limit);
  const serving = allRows(plan.nextServing, limit);
  const hash = createHash('sha256');
  for (const { source, index } of [...training, ...serving]) hash.update(source.readRow(index));
  return {
    training,
    serving,
    labels: known === null ? null : Int32Array.from(serving, ({ index }) => known[index] ?? -1),
    digest: hash.digest('hex'),
    close: () => {
      rows.close();
      ofHeads?.close();
    },
  };
}

function allRows(next: () => PlannedRow | null, limit: number | null): PlannedRow[] {
  const rows: PlannedRow[] = [];
  for (let row = next(); row !== null && rows.length < (limit ?? Infinity); row = next())
    rows.push(row);
  return rows;
}

async function readLabels(file: string): Promise<Int32Array> {
  const source = await openTraffic(`npy:${file}`, '--labels');
  const labels = Int32Array.from({ length: source.rowCount }, (_, i) => source.readRow(i)[0] ?? -1);
  source.close();
  return labels;
}

/** Input tensors [rows, ...] of planned rows, a batch at a time. */
export function* inputBatches(
  rows: readonly PlannedRow[],
  { inputs }: Pick<ModelDescription, 'inputs'>,
  { modelPath, batchRows }: { readonly modelPath: string; readonly batchRows: number },
): Generator<{ readonly input: Float32Array; readonly rows: number }, void> {
  const description = loadModelDescription(modelPath);
  const encoders = new Map<TrafficSource, RowEncoder>();
  const encoderOf = (source: TrafficSource): RowEncoder => {
    const encoder = encoders.get(source) ?? createRowEncoder(source, inputs, description);
    encoders.set(source, encoder);
    return encoder;
  };
  for (let first = 0; first < rows.length; first += batchRows) {
    const part = rows.slice(first, first + batchRows);
    const [size = 0] = part.map(({ source }) => encoderOf(source).rowBytes);
    const bytes = new Uint8Array(part.length * size);
    for (const [i, { source, index }] of part.entries())
      encoderOf(source).encode(source.readRow(index), bytes, i * size);
    yield { input: new Float32Array(bytes.buffer), rows: part.length };
  }
}
