import { seen, type Figure } from '../figure.ts';
import { ofStage, SECTION, type FleetRun } from './fleet-run.ts';
import { growthExponent, slopeOf, type SizedCost } from './growth.ts';

/** What the operator takes at each size, and how that grows: a row per stage. Runs are of one number of pods per service. */
interface Curve {
  readonly name: string;
  /** Of each run; null of one without the stage. */
  readonly costs: readonly (number | null)[];
  /** NaN: fewer than two sizes have it. */
  readonly exponent: number;
}

const REST = 'rest';

/** Exponents over the number of services, and memory of one more service and of one more pod; nothing that takes more sizes than there are. */
export function toGrowth(runs: readonly FleetRun[]): Figure[] {
  const exponents = groupBy(runs, ({ pods }) => pods).flatMap((group) =>
    curvesOf(group).map(({ name, exponent }) => ({
      name: `${name}: exponent over services of ${group[0]!.pods} pods`,
      ...{ unit: '', value: exponent },
    })),
  );
  const perService = groupBy(runs, ({ pods }) => pods).map((group) => ({
    name: `memory of the operator for one more service of ${group[0]!.pods} pods`,
    ...{ unit: 'KiB', value: 1_024 * slopeOf(memoryOf(group, ({ services }) => services)) },
  }));
  const perPod = groupBy(runs, ({ services }) => services).map((group) => ({
    name: `memory of the operator for one more pod, of ${group[0]!.services} services`,
    ...{
      unit: 'KiB',
      value: 1_024 * slopeOf(memoryOf(group, ({ services, pods }) => services * pods)),
    },
  }));
  return [...exponents, ...perService, ...perPod]
    .filter(({ value }) => !Number.isNaN(value))
    .map(({ name, unit, value }) => seen({ section: SECTION, name, unit }, value));
}

/** Tables for a person: one per number of pods. */
export function formatCurves(runs: readonly FleetRun[]): string {
  return groupBy(runs, ({ pods }) => pods)
    .map(formatTable)
    .join('\n\n');
}

function formatTable(runs: readonly FleetRun[]): string {
  const sizes = runs.map(({ services, pods }) => `${services} x ${pods}`);
  const rows = curvesOf(runs).map(({ name, costs, exponent }) => [
    name,
    ...costs.map((cost) => (cost === null ? '' : short(cost))),
    Number.isNaN(exponent) ? '' : exponent.toFixed(2),
  ]);
  const table = [['the operator', ...sizes, 'exponent'], ...rows];
  const widths = table[0]!.map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table
    .map(([name = '', ...cells]) =>
      [name.padEnd(widths[0]!), ...cells.map((cell, at) => cell.padStart(widths[at + 1]!))]
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function curvesOf(runs: readonly FleetRun[]): Curve[] {
  const stages = [...new Set(runs.flatMap((run) => run.stages.map(({ stage }) => stage)))];
  const cpu = stages.map((stage) => ({
    name: `${stage}, processor seconds`,
    costs: runs.map((run) => ofStage(run, stage, ({ usage }) => [usage.operatorCpuSeconds])[0]),
  }));
  const memory = { name: 'memory at rest, MiB', costs: runs.map(restRssMib) };
  return [...cpu, memory].map(({ name, costs }) => ({
    name,
    costs: costs.map((cost) => cost ?? null),
    exponent: growthExponent(
      costs.flatMap((cost, at) => (cost === undefined ? [] : { size: runs[at]!.services, cost })),
    ),
  }));
}

function restRssMib(run: FleetRun): number | undefined {
  return ofStage(run, REST, ({ usage }) => [usage.operatorRssMib])[0];
}

function memoryOf(
  runs: readonly FleetRun[],
  sizeOf: (run: FleetRun) => number,
): readonly SizedCost[] {
  return runs.flatMap((run) => {
    const cost = restRssMib(run);
    return cost === undefined ? [] : { size: sizeOf(run), cost };
  });
}

function groupBy(
  runs: readonly FleetRun[],
  keyOf: (run: FleetRun) => number,
): readonly (readonly FleetRun[])[] {
  return [...new Set(runs.map(keyOf))].map((key) => runs.filter((run) => keyOf(run) === key));
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
