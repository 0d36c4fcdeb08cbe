import { join } from 'node:path';
import type { Result } from '../../../crds/wire/result.ts';
import type { TrainingRequest } from '../../lifecycle/types.ts';
import { createAdminClient, type AdminClient } from '../../fleet/admin-client.ts';
import { startChild, type Child } from './child.ts';

/** The job of a trainer process as its environment carries it (LAYERCACHE_TRAINER_JOB). */
export interface TrainerJob {
  readonly servers: readonly string[];
  readonly part: TrainingRequest['part'];
  readonly after: TrainingRequest['after'];
  readonly settings: {
    readonly budget: number;
    readonly maxActiveExits: number;
    readonly minSaving: number;
    readonly maxOverhead: number;
    readonly maxBundleBytes: number;
  };
  /** Whether a student is made of input rows. */
  readonly student: boolean;
  readonly seed: number;
  readonly parent: string | null;
  readonly trainerVersion: string;
}

export interface TrainerProcess {
  readonly child: Child;
  readonly admin: AdminClient;
}

export interface TrainerOptions {
  readonly bundleDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onChild: (child: Child) => void;
  readonly onLine?: ((name: string, line: string) => void) | undefined;
}

const START_DEADLINE_MS = 20_000;

export async function startTrainer(
  job: TrainerJob,
  options: TrainerOptions,
): Promise<Result<TrainerProcess>> {
  const child = startChild({
    name: 'trainer',
    program: join(options.bundleDir, 'trainer.mjs'),
    environment: {
      ...options.environment,
      LAYERCACHE_TRAINER_JOB: JSON.stringify(job),
      LAYERCACHE_ADMIN_PORT: '0',
      LAYERCACHE_BIND_HOST: '127.0.0.1',
    },
    onLine: options.onLine,
  });
  options.onChild(child);
  const listening = await child.waitFor('listening', START_DEADLINE_MS);
  if (listening === null) {
    child.kill();
    await child.ended;
    return {
      ok: false,
      code: 'TrainingFailed',
      message: `the trainer did not start: ${child.tail()}`,
    };
  }
  const admin = createAdminClient(`http://127.0.0.1:${String(listening.adminPort)}`);
  return { ok: true, value: { child, admin } };
}
