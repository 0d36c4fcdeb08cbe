import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ONNXRUNTIME } from './onnxruntime-package.ts';
import { oneWorker, workerPerCore, type LaunchPlace, type Launch, type Peer } from './peer.ts';
import { v2Json } from './protocol.ts';

const COMMON = {
  environment: 'mlserver',
  // Its own range lets in a release of uvloop that it does not start with.
  packages: ['mlserver==1.7.1', 'uvloop==0.21.0', ONNXRUNTIME],
  protocol: v2Json(),
} as const;

/** The model in the server's own process. */
export const MLSERVER: Peer = {
  ...COMMON,
  name: 'MLServer',
  layout: oneWorker,
  launch: (place) => launch(place, 0),
};

/** As it comes: processes beside the server's. */
export const MLSERVER_WORKERS: Peer = {
  ...COMMON,
  name: 'MLServer, parallel workers',
  layout: workerPerCore,
  launch: (place) => launch(place, place.layout.workers),
};

function launch({ bin, folder, ports }: LaunchPlace, parallelWorkers: number): Launch {
  const [http, grpc, metrics] = ports;
  const write = (name: string, value: unknown): void => {
    writeFileSync(join(folder, name), JSON.stringify(value));
  };
  write('settings.json', {
    parallel_workers: parallelWorkers,
    host: '127.0.0.1',
    http_port: http,
    grpc_port: grpc,
    metrics_port: metrics,
    debug: false,
  });
  write('model-settings.json', { name: 'bench', implementation: 'mlserver_runtime.OnnxRuntime' });
  return {
    command: join(bin, 'mlserver'),
    args: ['start', folder],
    readyPath: '/v2/models/bench/ready',
  };
}
