// Entry of a worker thread that cuts models as on a card, and runs them on processors.
import { serveThread } from '../../server/engine/host/serve-thread.ts';
import { createCardEngine } from '../../server/engine/onnx/onnx-engine.ts';

serveThread({
  device: 'cpu',
  versions: {},
  create: (pause, passThreads) => createCardEngine({ pause }, passThreads),
});
