import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRecord } from '../../promises/open-record.ts';
import type { Figure } from '../figure.ts';
import type { FleetSize } from './fleet-objects.ts';
import { formatCurves, toGrowth } from './fleet-curve.ts';
import { toFigures, toScaleRecord, type FleetRun } from './fleet-run.ts';
import { runScenario } from './run-scenario.ts';
import { formatStage, type StageResult } from './stage-result.ts';

export interface FleetOptions {
  /** Sizes that are run one after the other. */
  readonly services: readonly number[];
  /** Of each service; each size is run with each. */
  readonly pods: readonly number[];
  readonly isProfiled: boolean;
  readonly withHeads: boolean;
}

const FOLDER = 'dist/fleet';
/** What an installation of this size sets (the capacity page says why); the same at every size, so that sizes compare. */
const OPERATOR = {
  LAYERCACHE_API_RATE: '100',
  LAYERCACHE_API_BURST: '200',
  LAYERCACHE_CONCURRENCY: '16',
  // As the chart does for the memory that is promised: without a bound the heap grows to what the machine has.
  NODE_OPTIONS: '--max-old-space-size=384',
};

/** The operator with a whole fleet: a real control plane, kwok, and simulated pods behind real connections. */
export async function measureFleet(options: FleetOptions): Promise<Figure[]> {
  const runs: FleetRun[] = [];
  const sizes = options.pods.flatMap((pods) =>
    options.services.map((services) => ({ services, pods })),
  );
  for (const size of sizes) {
    runs.push(await measureSize(size, options));
    process.stdout.write(`\n${formatCurves(runs)}\n\n`);
  }
  return [...runs.flatMap(toFigures), ...toGrowth(runs)];
}

async function measureSize(size: FleetSize, options: FleetOptions): Promise<FleetRun> {
  const { services, pods } = size;
  process.stdout.write(`${services} services of ${pods} pods\n`);
  const folder = join(FOLDER, `${services}x${pods}`);
  mkdirSync(folder, { recursive: true });
  const { isProfiled, withHeads } = options;
  // The size that is promised for; smaller runs leave its record alone.
  const record = services >= 1_000 && pods >= 10 ? openRecord('scale') : null;
  const done: StageResult[] = [];
  const stages = await runScenario({
    ...{ services, pods, folder, isProfiled, withHeads },
    ...{ changes: 20, restSeconds: 60, operatorEnvironment: OPERATOR },
    onStage: (stage) => {
      done.push(stage);
      process.stdout.write(`${formatStage(stage)}\n`);
      // What a run of an hour has measured stays, whatever becomes of its next stage.
      writeFileSync(join(folder, 'stages.json'), `${JSON.stringify(done, null, 2)}\n`);
    },
  });
  const run = { services, pods, stages };
  record?.(toScaleRecord(run));
  return run;
}
