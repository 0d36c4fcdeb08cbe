// Entry of a worker thread of the engine host: serves one onnxruntime engine.
import { env } from 'onnxruntime-node';
import { parentPort, workerData } from 'node:worker_threads';
import { connectLane } from '../host/batch-lane.ts';
import { serveWorker } from '../host/engine-worker.ts';
import type { WorkerStart } from '../host/worker-messages.ts';
import { createOnnxEngine } from './onnx-engine.ts';

if (parentPort !== null) {
  const { socketPath, activations } = workerData as WorkerStart;
  serveWorker(
    {
      host: parentPort,
      lane: connectLane(socketPath),
      activations: new Int32Array(activations),
    },
    {
      device: 'cpu',
      versions: { 'onnxruntime-node': env.versions.node ?? env.versions.common },
      create: (pause) => createOnnxEngine({ pause }),
    },
  );
}
