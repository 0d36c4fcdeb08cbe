// Entry of a worker thread that is the real one until a row tells it to fail.
import { parentPort, workerData } from 'node:worker_threads';
import { connectLane } from '../../../server/engine/host/batch-lane.ts';
import { serveWorker } from '../../../server/engine/host/engine-worker.ts';
import type { WorkerStart } from '../../../server/engine/host/worker-messages.ts';
import { createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import type { SegmentEngine } from '../../../server/engine/segment-engine.ts';
import { Fault } from './faults.ts';

const { socketPath, counts, passThreads } = workerData as WorkerStart;
const lane = connectLane(socketPath);
const SLOW_MS = 2;
const grown: Buffer[] = [];
/** Native memory lives as long as what names it. */
const kept: object[] = [];

const DEEDS: Readonly<Record<number, (engine: SegmentEngine) => void>> = {
  [Fault.die]: () => {
    process.kill(process.pid, 'SIGKILL');
    sleep();
  },
  [Fault.hang]: sleep,
  [Fault.spoil]: (engine) => {
    const output = engine.output.bind(engine);
    engine.output = async (plan, activation) => {
      const outputs = await output(plan, activation);
      return outputs.map((values) => values.map(() => NaN));
    };
  },
  [Fault.garble]: () => {
    lane.write(Buffer.from('14000000ffffffffffffffffffffffffffffffff', 'hex'));
  },
  [Fault.grow]: () => {
    grown.push(Buffer.alloc(64 * 2 ** 20, 1));
  },
  [Fault.keepActivations]: (engine) => {
    engine.discard = (activation) => {
      kept.push(activation);
    };
  },
  [Fault.keepPlans]: (engine) => {
    engine.releasePlan = (plan) => {
      kept.push(plan);
      return Promise.resolve();
    };
    engine.releaseHead = (head) => {
      kept.push(head);
    };
  },
};

function sleep(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function faulty(engine: SegmentEngine, threads: number): SegmentEngine {
  const upload = engine.upload.bind(engine);
  engine.upload = (input, rows) => {
    const size = input.length / rows;
    for (let row = 0; row < rows; row += 1) DEEDS[input[row * size] ?? 0]?.(engine);
    return upload(input, rows);
  };
  return threads === 1 ? slow(engine) : engine;
}

/** With more threads a pass takes less time, on any machine and whatever the model: what is alone runs with them. */
function slow(engine: SegmentEngine): SegmentEngine {
  const output = engine.output.bind(engine);
  engine.output = async (plan, activation) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW_MS);
    return output(plan, activation);
  };
  return engine;
}

if (parentPort !== null) {
  serveWorker(
    { host: parentPort, lane, counts: new Int32Array(counts), passThreads },
    {
      device: 'cpu',
      versions: {},
      create: (pause, threads) => faulty(createOnnxEngine({ pause }, threads), threads),
    },
  );
}
