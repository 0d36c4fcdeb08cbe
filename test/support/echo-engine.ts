import type { BatchRequest, EngineReport, RowAnswer } from '../../server/engine/engine-client.ts';
import type { FakeEngine } from './fake-engine.ts';
import { createFakeEngine, fakeReport } from './fake-engine.ts';

export interface EchoModel {
  readonly inputName: string;
  /** Of one row. */
  readonly rowShape: readonly number[];
  /** Each gives the row back. The first is the class output. */
  readonly outputNames: readonly string[];
}

/** An engine whose backbone gives every row back as it got it: what a client sent is read off its answer. */
export function createEchoEngine({ inputName, rowShape, outputNames }: EchoModel): FakeEngine {
  const shape = [-1, ...rowShape];
  const tensor = (name: string) => ({ name, datatype: 'FP32', shape });
  const { model, ...rest } = fakeReport();
  const report: EngineReport = {
    ...rest,
    model: {
      ...model,
      inputs: [tensor(inputName)],
      outputs: outputNames.map(tensor),
      outputName: outputNames[0] ?? '',
    },
  };
  const engine = createFakeEngine(report);
  engine.run = async (batch, onRows) => {
    engine.batches.push(batch);
    await Promise.resolve();
    onRows(readRows(batch).map((values, row) => answerOf(values, row, outputNames.length)));
    return {
      audits: [],
      samples: [],
      seconds: { segment: 0, head: 0, companion: 0, compact: 0, audit: 0, plain: 0 },
      segments: [],
      nonFiniteRows: [],
      nonFiniteHeads: [],
    };
  };
  return engine;
}

function readRows({ input, rows, datatype }: BatchRequest): Float32Array[] {
  const bytes = Uint8Array.from(Buffer.concat(input));
  const values = datatype === 'FP32' ? new Float32Array(bytes.buffer) : Float32Array.from(bytes);
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width));
}

function answerOf(values: Float32Array, row: number, outputs: number): RowAnswer {
  return {
    row,
    exit: -1,
    score: NaN,
    classId: 0,
    outputs: Array.from({ length: outputs }, () => values),
  };
}
