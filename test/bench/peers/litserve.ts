import { join } from 'node:path';
import { ONNXRUNTIME } from './onnxruntime-package.ts';
import { workerPerCore, type Peer } from './peer.ts';
import { namedJson } from './protocol.ts';

export const LITSERVE: Peer = {
  name: 'LitServe',
  environment: 'litserve',
  packages: ['litserve==0.2.19', ONNXRUNTIME],
  protocol: namedJson('/predict', 'input', 'output'),
  layout: workerPerCore,
  launch: ({ bin, programs }) => ({
    command: join(bin, 'python'),
    args: [join(programs, 'litserve_server.py')],
    readyPath: '/health',
  }),
};
