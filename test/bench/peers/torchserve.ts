import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ONNXRUNTIME } from './onnxruntime-package.ts';
import { workerPerCore, type LaunchPlace, type Launch, type Peer } from './peer.ts';
import { plainBytes } from './protocol.ts';

/** Its workers run onnxruntime alone: see `programs/without-pytorch`. */
export const TORCHSERVE: Peer = {
  name: 'TorchServe, without PyTorch',
  environment: 'torchserve',
  // Its workers read their metrics with a package that it does not ask for.
  packages: ['torchserve==0.12.0', 'torch-model-archiver==0.12.0', 'pyyaml==6.0.4', ONNXRUNTIME],
  protocol: plainBytes('/predictions/bench'),
  layout: workerPerCore,
  missing: () =>
    spawnSync('java', ['-version']).status === 0
      ? null
      : "TorchServe's front end needs Java 17, and `java -version` does not run here",
  launch,
};

function launch({ bin, programs, folder, modelPath, layout, ports }: LaunchPlace): Launch {
  const store = join(folder, 'store');
  mkdirSync(store);
  const archiver = spawnSync(
    join(bin, 'torch-model-archiver'),
    [
      ...['--model-name', 'bench', '--version', '1.0', '--export-path', store],
      ...['--serialized-file', modelPath, '--handler', join(programs, 'torchserve_handler.py')],
      ...['--extra-files', join(programs, 'engine.py')],
    ],
    { encoding: 'utf8', env: { PATH: bin, HOME: folder } },
  );
  if (archiver.status !== 0) throw new Error(`torch-model-archiver failed: ${archiver.stderr}`);
  const [inference, management, metrics, grpcInference, grpcManagement] = ports;
  const settings = {
    inference_address: `http://127.0.0.1:${inference}`,
    management_address: `http://127.0.0.1:${management}`,
    metrics_address: `http://127.0.0.1:${metrics}`,
    grpc_inference_port: grpcInference,
    grpc_management_port: grpcManagement,
    default_workers_per_model: layout.workers,
    disable_token_authorization: true,
    disable_system_metrics: true,
  };
  const config = join(folder, 'config.properties');
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  // A line per request would be much of what is measured.
  const quiet = join(folder, 'log4j2.xml');
  writeFileSync(quiet, '<Configuration><Loggers><Root level="error"/></Loggers></Configuration>\n');
  return {
    command: join(bin, 'torchserve'),
    args: [
      ...['--start', '--foreground', '--disable-token-auth', '--ts-config', config],
      ...['--model-store', store, '--models', 'bench=bench.mar', '--log-config', quiet],
    ],
    // What it says of itself is true before workers are there, and without any.
    readyPath: '/predictions/bench',
    environment: { PYTHONPATH: `${programs}:${join(programs, 'without-pytorch')}` },
  };
}
