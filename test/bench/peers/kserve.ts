import { join } from 'node:path';
import { ONNXRUNTIME } from './onnxruntime-package.ts';
import { oneWorker, type Peer } from './peer.ts';
import { v2Binary } from './protocol.ts';

export const KSERVE: Peer = {
  name: 'KServe, Python server',
  environment: 'kserve',
  packages: ['kserve==0.21.0', ONNXRUNTIME],
  protocol: v2Binary(),
  layout: oneWorker,
  launch: ({ bin, programs }) => ({
    command: join(bin, 'python'),
    args: [join(programs, 'kserve_server.py')],
    readyPath: '/v2/models/bench/ready',
  }),
};
