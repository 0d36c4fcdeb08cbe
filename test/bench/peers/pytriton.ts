import { join } from 'node:path';
import { ONNXRUNTIME } from './onnxruntime-package.ts';
import { oneWorker, type Peer } from './peer.ts';
import { v2Binary } from './protocol.ts';

/** One callable: where several start, the later ones give up after a second on the first, which is not enough for a busy machine. */
export const PYTRITON: Peer = {
  name: 'pytriton',
  environment: 'pytriton',
  packages: ['nvidia-pytriton==0.7.0', ONNXRUNTIME],
  protocol: v2Binary(),
  layout: oneWorker,
  launch: ({ bin, programs }) => ({
    command: join(bin, 'python'),
    args: [join(programs, 'pytriton_server.py')],
    readyPath: '/v2/models/bench/ready',
  }),
};
