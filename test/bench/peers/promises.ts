import { atLeast, atMost, seen, type Figure } from '../figure.ts';
import {
  closedMeasure,
  leadOver,
  othersOf,
  oursBeside,
  smallestLead,
  USUAL_CALLERS,
} from './comparison.ts';
import { LAYERCACHE } from './layercache-name.ts';
import { isMeasured, type CaseResults, type MeasuredLane } from './results.ts';
import { callersOf } from './table.ts';

const COST = closedMeasure('processorMsPerRequest', USUAL_CALLERS);

/** What is promised about a model: ahead of each other server, whatever its body, in throughput and p50. */
export function casePromises(results: CaseResults): Figure[] {
  const section = `peers, ${results.name}`;
  return callersOf(results).flatMap((callers) =>
    (['perSecond', 'p50Ms'] as const).flatMap((what) => {
      const measure = closedMeasure(what, callers);
      const least = smallestLead(results, measure);
      if (least === null) return [];
      const name = `${measure.name}, how many times better than the best (${least.server})`;
      return [atLeast({ section, name }, least.lead, 1)];
    }),
  );
}

/** What is promised about the server alone, on a model that costs nothing. */
export function serverCostPromises(results: CaseResults): Figure[] {
  const section = `peers, ${results.name}`;
  const ours = results.lanes
    .filter(isMeasured)
    .find(({ server, kind }) => server === LAYERCACHE && kind === 'binary');
  const place = (name: string): { section: string; name: string } => ({ section, name });
  const figures: Figure[] = [];
  if (ours !== undefined) {
    const unit = 'ms';
    figures.push(
      atMost({ ...place('processor time per request, binary'), unit }, COST.of(ours), 0.4),
    );
  }
  const best = smallestLead(results, COST);
  if (best !== null) {
    const name = `processor time per request, best other (${best.server}) / ours`;
    figures.push(atLeast(place(name), best.lead, 2));
  }
  const kserve = othersOf(results).find(({ server }) => server.startsWith('KServe'));
  if (kserve !== undefined) figures.push(...leadFigure(kserve, results, section));
  return figures;
}

function leadFigure(lane: MeasuredLane, results: CaseResults, section: string): Figure[] {
  const ours = oursBeside(lane, results.lanes);
  if (ours === null) return [];
  const name = 'processor time per request, KServe / ours';
  return [atLeast({ section, name }, leadOver(lane, ours, COST), 4)];
}

/** What the figures hang on: beside a generator that is busy or late nothing is measured. */
export function generatorFigures({ name, lanes }: CaseResults): Figure[] {
  const measured = lanes.filter(isMeasured);
  const section = `peers, ${name}`;
  const share = measured.flatMap(({ closed }) =>
    closed.map(({ generatorShare }) => generatorShare),
  );
  return [
    seen({ section, name: 'servers that were not measured' }, lanes.length - measured.length),
    seen({ section, name: 'callers, largest share of a core' }, Math.max(0, ...share)),
    seen(
      { section, name: 'generator lag p99, largest', unit: 'ms' },
      Math.max(0, ...measured.map(({ open }) => open.lagP99Ms)),
    ),
  ];
}
