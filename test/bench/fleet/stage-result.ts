import type { OperatorCounters } from './fleet-operator.ts';
import type { PodsReport } from './messages.ts';
import type { Usage } from './process-meter.ts';

/** What a stage of the scenario cost, by whom. */
export interface StageResult {
  readonly stage: string;
  readonly usage: Usage;
  /** Of the operator within the stage; of a new process since its start. */
  readonly operator: OperatorCounters;
  readonly pods: Omit<PodsReport, 'kind' | 'evidenceLagMs'>;
  /** Of this stage alone; the unit stands in the name, seconds without one. */
  readonly figures: Readonly<Record<string, number>>;
}

export const NO_CALLS: OperatorCounters = { apiCalls: {}, lists: {}, passes: 0, passSeconds: 0 };

/** A process that began in between counts from zero. */
export function callsBetween(before: OperatorCounters, after: OperatorCounters): OperatorCounters {
  const isNew = after.passes < before.passes;
  const from = isNew ? NO_CALLS : before;
  return {
    apiCalls: minus(after.apiCalls, from.apiCalls),
    lists: minus(after.lists, from.lists),
    passes: after.passes - from.passes,
    passSeconds: after.passSeconds - from.passSeconds,
  };
}

type Counts = Readonly<Record<string, number>>;

function minus(after: Counts, before: Counts): Counts {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  );
}

/** Writes of objects: Leases are renewed by PUT. */
export function writesOf(apiCalls: Readonly<Record<string, number>>): number {
  return ['POST', 'PATCH', 'DELETE'].reduce((sum, method) => sum + (apiCalls[method] ?? 0), 0);
}

/** One line for the log of a run: everything that was measured. */
export function formatStage({ stage, usage, operator, pods, figures }: StageResult): string {
  const { wallSeconds, operatorCpuSeconds, operatorRssMib, operatorPeakRssMib } = usage;
  const { planeCpuSeconds, planeRssMib, podsCpuSeconds } = usage;
  const lines = [
    `${stage}: ${short(wallSeconds)} s`,
    `  operator ${short(operatorCpuSeconds)} CPU-s (${short(operatorCpuSeconds / wallSeconds)} cores), RSS ${short(operatorRssMib)} MiB, peak ${short(operatorPeakRssMib)}; passes ${operator.passes} in ${short(operator.passSeconds)} s; API calls ${words(operator.apiCalls)}; lists ${words(operator.lists)}`,
    `  control plane ${short(planeCpuSeconds)} CPU-s, RSS ${short(planeRssMib)} MiB; simulated pods ${short(podsCpuSeconds)} CPU-s, ${pods.pods} pods, ${pods.connections} connections, ${pods.handshakes} handshakes; ${words(pods.calls)}`,
    ...(Object.keys(figures).length === 0 ? [] : [`  ${words(figures)}`]),
  ];
  return lines.join('\n');
}

function words(counts: Counts): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${short(count)}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
