// Entry of a worker thread of the engine host: serves one onnxruntime engine.
import { env } from 'onnxruntime-node';
import { deviceOfProcess } from '../config.ts';
import { serveThread } from '../host/serve-thread.ts';
import { createOnnxEngine } from './onnx-engine.ts';

serveThread({
  device: deviceOfProcess(),
  versions: { 'onnxruntime-node': env.versions.node ?? env.versions.common },
  create: (pause, passThreads) => createOnnxEngine({ pause }, passThreads),
});
