import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort } from 'node:worker_threads';
import { pino } from 'pino';
import { systemClock } from '../clock.ts';
import { loadProcessConfig, type TrainerConfig } from './config.ts';
import { createJobPool } from './job-pool.ts';
import { startJob } from './run-job.ts';
import { serveJobs } from './serve-jobs.ts';
import { createTrainerApp } from './trainer-app.ts';

// Threads of the pool run this same file.
if (isMainThread) main();
else if (parentPort !== null) serveJobs(parentPort);

function main(): void {
  const config = loadProcessConfig();
  if (!config.ok) {
    process.stderr.write(`${config.problems.join('\n')}\n`);
    process.exit(2);
  }
  start(config.value);
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
  const pool = createJobPool(new URL(import.meta.url), config.threads);
  const job = startJob(config.job, {
    runJob: pool.run,
    clock: systemClock,
    onChange: ({ state, progress, message }) => {
      log.debug({ state, progress, message }, 'training');
    },
  });
  void job.ended.then(async () => {
    await pool.close();
    const { state, outcome, digest, rows, durationSeconds, message } = job.state();
    log.info({ state, outcome, digest, rows, durationSeconds, message }, 'training ended');
  });
  const app = createTrainerApp(job, leave);
  app.on('error', (error: NodeJS.ErrnoException) => {
    const why = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${error.message})`;
    const next = 'Set LAYERCACHE_ADMIN_PORT to another port, or 0 for a free one.';
    process.stderr.write(`The admin port ${config.adminPort} ${why}. ${next}\n`);
    process.exit(1);
  });
  app.listen(config.adminPort, config.bindHost, () => {
    log.info({ adminPort: (app.address() as AddressInfo).port }, 'listening');
  });
}
