import { atMost, seen, type Figure } from '../figure.ts';
import { writesOf, type StageResult } from './stage-result.ts';

/** One size of a fleet and what its stages cost. */
export interface FleetRun {
  readonly services: number;
  /** Of each service. */
  readonly pods: number;
  readonly stages: readonly StageResult[];
}

export const SECTION = 'fleet';
/** What one operator promises up to 1,000 services of 10 pods. */
const PROMISED = {
  rssMib: 512,
  restCores: 0.5,
  restWritesPerSecond: 10,
  changeMs: 5_000,
  /** Of a service with more than a hundred pods, a thousand at most. */
  largeChangeMs: 10_000,
  mergeSeconds: 1,
  /** 60 s after a crash, of which the next one waits 15 s for the Lease. */
  caughtUpSeconds: 45,
  /** Its Lease, and nothing for a service that is settled. */
  restartWrites: 2,
  /** One of each watched kind: more is a storm. */
  lists: 20,
} as const;

const MANY_PODS = 100;
/** In which all pods of a service are asked for their evidence. */
const ROUND_SECONDS = 30;

/** What a run says against what is promised, then what it cost. */
export function toFigures(run: FleetRun): Figure[] {
  return [...promisesOf(run), ...costsOf(run)];
}

/** For the table of promises. */
export function toScaleRecord(run: FleetRun): Readonly<Record<string, number>> {
  const [changeMs] = ofStage(run, 'change one', ({ figures }) => [figures.changeMsP99]);
  return {
    services: run.services,
    memoryMiB: mostRssMib(run),
    p99Seconds: (changeMs ?? Number.NaN) / 1_000,
  };
}

function mostRssMib({ stages }: FleetRun): number {
  return Math.max(...stages.map(({ usage }) => usage.operatorPeakRssMib));
}

function promisesOf(run: FleetRun): Figure[] {
  const place = (name: string, unit: string) => ({
    ...{ section: SECTION, unit },
    name: `${run.services} x ${run.pods}: ${name}`,
  });
  return [
    atMost(place('most memory of the operator', 'MiB'), mostRssMib(run), PROMISED.rssMib),
    ...ofStage(run, 'rest', ({ usage, operator }) => [
      atMost(
        place('cores of the operator at rest', ''),
        usage.operatorCpuSeconds / usage.wallSeconds,
        PROMISED.restCores,
      ),
      atMost(
        place('writes at rest', '/s'),
        writesOf(operator.apiCalls) / usage.wallSeconds,
        PROMISED.restWritesPerSecond,
      ),
    ]),
    ...ofStage(run, 'change one', ({ figures }) => [
      atMost(
        place('a change of one service, acknowledged by its pods, p99', 'ms'),
        figures.changeMsP99 ?? Number.NaN,
        run.pods > MANY_PODS ? PROMISED.largeChangeMs : PROMISED.changeMs,
      ),
    ]),
    ...ofStage(run, 'busy', ({ usage, operator }) => [
      atMost(
        place('passes of one service within a round of its pods', 's'),
        (operator.passSeconds / run.services) * (ROUND_SECONDS / usage.wallSeconds),
        PROMISED.mergeSeconds,
      ),
    ]),
    ...ofStage(run, 'operator restart', ({ figures, operator }) => [
      atMost(
        place('next operator after a crash, from its start until it has asked all pods', 's'),
        figures.caughtUpSeconds ?? Number.NaN,
        PROMISED.caughtUpSeconds,
      ),
      atMost(
        place('writes of the next operator', ''),
        writesOf(operator.apiCalls),
        PROMISED.restartWrites,
      ),
    ]),
    ...ofStage(run, 'API server restart', ({ operator }) => [
      atMost(
        place('lists after a restart of the API server', ''),
        Object.values(operator.lists).reduce((sum, count) => sum + count, 0),
        PROMISED.lists,
      ),
    ]),
  ];
}

/** Of one stage; nothing of a run without it. */
export function ofStage<T>(
  { stages }: FleetRun,
  stage: string,
  toValues: (result: StageResult) => readonly T[],
): readonly T[] {
  return stages.filter((one) => one.stage === stage).flatMap(toValues);
}

function costsOf({ services, pods, stages }: FleetRun): Figure[] {
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
