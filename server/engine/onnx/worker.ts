// Entry of a worker thread of the engine host: serves one onnxruntime engine.
import { env } from 'onnxruntime-node';
import { parentPort } from 'node:worker_threads';
import { serveWorker } from '../host/engine-worker.ts';
import { createOnnxEngine } from './onnx-engine.ts';

if (parentPort !== null) {
  serveWorker(parentPort, {
    device: 'cpu',
    versions: { 'onnxruntime-node': env.versions.node ?? env.versions.common },
    create: (pause) => createOnnxEngine({ pause }),
  });
}
