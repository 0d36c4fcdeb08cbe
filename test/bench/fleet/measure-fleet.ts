import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seen, type Figure } from '../figure.ts';
import { runScenario } from './run-scenario.ts';
import { formatStage, type StageResult } from './stage-result.ts';

export interface FleetOptions {
  /** Sizes that are run one after the other. */
  readonly services: readonly number[];
  /** Of each service. */
  readonly pods: number;
  readonly isProfiled: boolean;
  readonly withHeads: boolean;
}

/** One size of a fleet and what its stages cost. */
export interface FleetRun {
  readonly services: number;
  readonly pods: number;
  readonly stages: readonly StageResult[];
}

const FOLDER = 'dist/fleet';
const SECTION = 'fleet';
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
  return runs.flatMap(toFigures);
}

function toFigures({ services, pods, stages }: FleetRun): Figure[] {
  return stages.flatMap(({ stage, usage, figures }) => {
    const place = (name: string, unit: string) => ({
      ...{ section: SECTION, unit },
      name: `${services} x ${pods}, ${stage}: ${name}`,
    });
    return [
      seen(place('time', 's'), usage.wallSeconds),
      seen(place('processor time of the operator', 's'), usage.operatorCpuSeconds),
      seen(place('most memory of the operator', 'MiB'), usage.operatorPeakRssMib),
      ...Object.entries(figures).map(([name, value]) => seen(place(name, ''), value)),
    ];
  });
}
