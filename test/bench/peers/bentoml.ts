import { join } from 'node:path';
import { ONNXRUNTIME } from './onnxruntime-package.ts';
import { workerPerCore, type Peer } from './peer.ts';
import { namedJson } from './protocol.ts';

export const BENTOML: Peer = {
  name: 'BentoML',
  environment: 'bentoml',
  packages: ['bentoml==1.4.40', ONNXRUNTIME],
  protocol: namedJson('/infer', 'image', null),
  layout: workerPerCore,
  launch: ({ bin, programs, ports: [port] }) => ({
    command: join(bin, 'bentoml'),
    args: [
      ...['serve', 'bentoml_service:Onnx', '--working-dir', programs],
      ...['--host', '127.0.0.1', '--port', String(port)],
    ],
    readyPath: '/readyz',
    // It reports its starts to its makers unless told not to.
    environment: { BENTOML_DO_NOT_TRACK: 'True' },
  }),
};
