import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from '../figure.ts';
import { toFigures, toGrowth, type FleetRun } from './fleet-run.ts';
import { runScenario } from './run-scenario.ts';
import { formatStage } from './stage-result.ts';

export interface FleetOptions {
  /** Sizes that are run one after the other. */
  readonly services: readonly number[];
  /** Of each service. */
  readonly pods: number;
  readonly isProfiled: boolean;
  readonly withHeads: boolean;
}

const FOLDER = 'dist/fleet';
/** What an installation of this size sets (the capacity page says why); the same at every size, so that sizes compare. */
const OPERATOR = { LAYERCACHE_API_RATE: '100', LAYERCACHE_API_BURST: '200' };

/** The operator with a whole fleet: a real control plane, kwok, and simulated pods behind real connections. */
export async function measureFleet(options: FleetOptions): Promise<Figure[]> {
  const runs: FleetRun[] = [];
  for (const services of options.services) {
    process.stdout.write(`${services} services of ${options.pods} pods\n`);
    const folder = join(FOLDER, `${services}x${options.pods}`);
    mkdirSync(folder, { recursive: true });
    const stages = await runScenario({
      ...options,
      ...{ services, folder, changes: 20, restSeconds: 60, operatorEnvironment: OPERATOR },
      onStage: (stage) => {
        process.stdout.write(`${formatStage(stage)}\n`);
      },
    });
    runs.push({ services, pods: options.pods, stages });
    writeFileSync(join(folder, 'stages.json'), `${JSON.stringify(stages, null, 2)}\n`);
  }
  return [...runs.flatMap(toFigures), ...toGrowth(runs)];
}
