// Entry of a worker thread of the engine host: serves one TensorFlow.js engine on the wasm backend.
import { serveThread } from '../host/serve-thread.ts';
import { TFJS_VERSION } from './backend.ts';
import { createTfjsEngine } from './tfjs-engine.ts';

serveThread({
  device: 'cpu',
  versions: { tfjs: TFJS_VERSION },
  create: (pause) => createTfjsEngine('wasm', { pause }),
});
