import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { pino } from 'pino';
import { errorText } from '../../server/core/system-error.ts';
import { createAwsIdentity } from '../../server/net/stores/aws-identity.ts';
import { systemClock } from '../clock.ts';
import { UPLOAD_FAILED_CODE } from '../plan/training-job.ts';
import { connectServers } from './connect-servers.ts';
import { loadProcessConfig, turnTelemetryOff, type TrainerConfig } from './config.ts';
import { createJobPool } from './job-pool.ts';
import { followJob, postJob } from './job-thread.ts';
import { startJob, type JobTools } from './run-job.ts';
import { serveJobs } from './serve-jobs.ts';
import { createTrainerApp } from './trainer-app.ts';
import { loadTrainerIdentity, type TrainerIdentity } from './trainer-identity.ts';
import { createTrainerServer } from './trainer-server.ts';
import type { TrainerState } from './training-state.ts';
import { uploadBundle } from './upload-bundle.ts';

// One file, three roles: the main thread answers the admin port, one thread conducts the training (merging 50,000 rows takes
// seconds), and the threads of its pool train heads.
const script = new URL(import.meta.url);
if (isMainThread) main();
else if (parentPort !== null) {
  const config = workerData as TrainerConfig | null | undefined;
  if (config === null || config === undefined) serveJobs(parentPort);
  else {
    const pool = createJobPool(script, config.threads);
    const connect = connectServers(config, systemClock);
    const upload = uploadOf(config);
    postJob(startJob(config.job, { ...pool, clock: systemClock, connect, upload }), parentPort);
  }
}

function uploadOf({ job, ...config }: TrainerConfig): JobTools['upload'] {
  const { store } = job;
  if (store === undefined) return null;
  const { storeCredentialsDir: credentialsDir, storeCaBundleDir: caBundleDir } = config;
  const { allowedHosts, proxy, awsIdentity } = config;
  const identity = awsIdentity && createAwsIdentity(awsIdentity, systemClock);
  const settings = {
    ...{ uri: store.uri, allowedHosts, proxy },
    access: { credentialsDir, caBundleDir, identity },
  };
  return (bundle, onTrouble) => uploadBundle(bundle, settings, onTrouble);
}

function main(): void {
  turnTelemetryOff();
  const config = loadProcessConfig();
  if (!config.ok) {
    process.stderr.write(`${config.problems.join('\n')}\n`);
    process.exit(2);
  }
  start(config.value);
}

/** A Job whose training failed shall fail too: it then tries once more, unless the store refused what was trained. */
function exitCodeOf({ state, failure }: TrainerState): number {
  if (state !== 'Failed') return 0;
  return failure === 'UploadFailed' ? UPLOAD_FAILED_CODE : 1;
}

function loadIdentity({ adminDir }: TrainerConfig): TrainerIdentity | null {
  if (adminDir === null) return null;
  const identity = loadTrainerIdentity(adminDir);
  if (identity.ok) return identity.value;
  process.stderr.write(`${identity.message}\n`);
  process.exit(2);
}

function start(config: TrainerConfig): void {
  const log = pino({ level: config.logLevel });
  const leave = (): void => {
    process.exit(0);
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  if (config.exitWithStdin) {
    process.stdin.on('end', leave);
    process.stdin.resume();
  }
  const job = followJob(new Worker(script, { workerData: config }), (state) => {
    const { outcome, digest, rows, durationSeconds, message } = state;
    log.info(
      { state: state.state, outcome, digest, rows, durationSeconds, message },
      'training ended',
    );
  });
  const identity = loadIdentity(config);
  const app = createTrainerServer(
    identity,
    createTrainerApp(job, () => process.exit(exitCodeOf(job.state()))),
    systemClock,
  );
  app.on('error', (error: NodeJS.ErrnoException) => {
    const why =
      error.code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${errorText(error)})`;
    const next = 'Set LAYERCACHE_ADMIN_PORT to another port, or 0 for a free one.';
    process.stderr.write(`The admin port ${config.adminPort} ${why}. ${next}\n`);
    process.exit(1);
  });
  app.listen(config.adminPort, config.bindHost, () => {
    log.info({ adminPort: (app.address() as AddressInfo).port }, 'listening');
  });
}
