// Entry of a worker thread of the engine host: serves one engine on native TensorFlow.
import { deviceOfProcess, enginesDir } from '../config.ts';
import { serveThread } from '../host/serve-thread.ts';
import { installedTensorFlow, tensorflowFolder } from '../installed-tensorflow.ts';
import { createTensorFlowEngine } from './tensorflow-engine.ts';

const engines = enginesDir();
const installed = installedTensorFlow(engines);
const device = deviceOfProcess();

serveThread({
  device,
  versions: installed === null ? {} : { tensorflow: installed.tensorflow },
  create: (pause) => createTensorFlowEngine(tensorflowFolder(engines), { pause }, device),
});
