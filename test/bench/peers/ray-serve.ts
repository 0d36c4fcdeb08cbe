import { join } from 'node:path';
import { ONNXRUNTIME } from './onnxruntime-package.ts';
import { workerPerCore, type Peer } from './peer.ts';
import { plainBytes } from './protocol.ts';

export const RAY_SERVE: Peer = {
  name: 'Ray Serve',
  environment: 'ray',
  packages: ['ray[serve]==2.60.0', ONNXRUNTIME],
  protocol: plainBytes('/infer'),
  layout: workerPerCore,
  launch: ({ bin, programs }) => ({
    command: join(bin, 'python'),
    args: [join(programs, 'ray_server.py')],
    // What Ray says of itself is true before replicas are there.
    readyPath: '/infer',
    environment: { RAY_USAGE_STATS_ENABLED: '0' },
  }),
};
