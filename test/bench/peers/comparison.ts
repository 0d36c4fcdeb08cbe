import { LAYERCACHE } from './layercache-name.ts';
import {
  isMeasured,
  type CaseResults,
  type ClosedFigures,
  type Lane,
  type MeasuredLane,
} from './results.ts';

/** Callers at which processor time per request is read: enough that none waits for them, few enough that they do not crowd the cores. */
export const USUAL_CALLERS = 8;

/** A figure of which less or more is better. */
export interface Measure {
  readonly name: string;
  readonly of: (lane: MeasuredLane) => number;
  readonly better: 'more' | 'less';
}

export function closedMeasure(
  what: keyof Omit<ClosedFigures, 'concurrency'>,
  callers: number,
): Measure {
  const names: Readonly<Record<typeof what, string>> = {
    perSecond: 'throughput',
    p50Ms: 'p50',
    p99Ms: 'p99',
    processorMsPerRequest: 'processor time per request',
    generatorShare: 'share of the callers',
  };
  return {
    name: `${names[what]} at ${callers}`,
    of: ({ closed }) => closed.find(({ concurrency }) => concurrency === callers)?.[what] ?? NaN,
    better: what === 'perSecond' ? 'more' : 'less',
  };
}

export const OPEN_P50: Measure = {
  name: 'p50 in the open loop',
  of: ({ open }) => open.p50Ms,
  better: 'less',
};
export const OPEN_P99: Measure = {
  name: 'p99 in the open loop',
  of: ({ open }) => open.p99Ms,
  better: 'less',
};
export const MEMORY: Measure = {
  name: 'memory',
  of: ({ memoryMib }) => memoryMib,
  better: 'less',
};

/** Every figure of the table. @param callers of the closed loops */
export function allMeasures(callers: readonly number[]): Measure[] {
  const at = (what: 'perSecond' | 'p50Ms' | 'p99Ms'): Measure[] =>
    callers.map((count) => closedMeasure(what, count));
  return [
    ...at('perSecond'),
    ...at('p50Ms'),
    ...at('p99Ms'),
    OPEN_P50,
    OPEN_P99,
    closedMeasure('processorMsPerRequest', USUAL_CALLERS),
    MEMORY,
  ];
}

/** Ours under the same kind of body; null where it was not measured. */
export function oursBeside(lane: Lane, lanes: readonly Lane[]): MeasuredLane | null {
  return (
    lanes
      .filter(isMeasured)
      .find(({ server, kind }) => server === LAYERCACHE && kind === lane.kind) ?? null
  );
}

/** How many times better ours is: above 1 we are ahead. NaN where either is missing. */
export function leadOver(lane: MeasuredLane, ours: MeasuredLane, { of, better }: Measure): number {
  return better === 'more' ? of(ours) / of(lane) : of(lane) / of(ours);
}

export function othersOf({ lanes }: CaseResults): MeasuredLane[] {
  return lanes.filter(isMeasured).filter(({ server }) => server !== LAYERCACHE);
}

/** The smallest lead over any other server, and over which; null where there is none. */
export function smallestLead(
  results: CaseResults,
  measure: Measure,
): { readonly server: string; readonly lead: number } | null {
  const leads = othersOf(results).flatMap((lane) => {
    const ours = oursBeside(lane, results.lanes);
    return ours === null ? [] : [{ server: lane.server, lead: leadOver(lane, ours, measure) }];
  });
  const [first, ...more] = leads;
  if (first === undefined) return null;
  return more.reduce((least, one) => (one.lead < least.lead ? one : least), first);
}

/** Where others are ahead of us: figure by figure, none hidden by a mean. */
export function aheadOfOurs(
  results: CaseResults,
  measures: readonly Measure[],
): { readonly server: string; readonly measures: readonly string[] }[] {
  return othersOf(results).flatMap((lane) => {
    const ours = oursBeside(lane, results.lanes);
    if (ours === null) return [];
    const ahead = measures.filter((measure) => leadOver(lane, ours, measure) < 1);
    return ahead.length === 0
      ? []
      : [{ server: lane.server, measures: ahead.map(({ name }) => name) }];
  });
}
