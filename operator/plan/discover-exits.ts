import type { CutReport } from '../../crds/wire/state.ts';
import type { SelectedExit } from './select-exits.ts';

const MAX_DISCOVERED = 8;
const MAX_NAME_LENGTH = 32;

/** Up to 8 cuts whose costs lie most evenly between the first and the last, in backbone order, named after their tensors. */
export function discoverExits(cuts: readonly CutReport[]): SelectedExit[] {
  const ordered = [...cuts].sort(byCost);
  const chosen = ordered.length <= MAX_DISCOVERED ? ordered : spread(ordered);
  const names = new Set<string>();
  return chosen.map(({ tensor, macsShare, msShare }) => ({
    name: exitName(tensor, names),
    tensor,
    mode: 'Active',
    macsShare,
    msShare,
  }));
}

function byCost(a: CutReport, b: CutReport): number {
  return a.macsShare - b.macsShare || a.msShare - b.msShare;
}

/** First and last, and for each even step between them the nearest cut not yet taken. */
function spread(ordered: readonly CutReport[]): CutReport[] {
  const left = [...ordered];
  const costs = ordered.map(({ msShare }) => msShare);
  const [first, last] = [Number(costs[0]), Number(costs.at(-1))];
  const chosen: CutReport[] = [];
  for (let i = 0; i < MAX_DISCOVERED; i++) {
    const target = first + ((last - first) * i) / (MAX_DISCOVERED - 1);
    const nearest = left.reduce((best, cut) =>
      Math.abs(cut.msShare - target) <= Math.abs(best.msShare - target) ? cut : best,
    );
    left.splice(left.indexOf(nearest), 1);
    chosen.push(nearest);
  }
  return chosen.sort(byCost);
}

/** A DNS label of at most 32 characters from a tensor name; a number makes it unique. `backbone` is reserved. */
function exitName(tensor: string, taken: Set<string>): string {
  const label = tensor
    .toLowerCase()
    .replace(/(_output_\d+|:\d+)$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const end = lastWords(label);
  const base = end === '' || end === 'backbone' ? 'exit' : end;
  let name = base;
  for (let n = 2; taken.has(name); n++) name = `${base.slice(0, MAX_NAME_LENGTH - 3)}-${n}`;
  taken.add(name);
  return name;
}

/** Whole words of the end; of one word that is too long its end. */
function lastWords(label: string): string {
  if (label.length <= MAX_NAME_LENGTH) return label;
  // With the character before it: when that is the dash, nothing was cut.
  const end = label.slice(-MAX_NAME_LENGTH - 1);
  const dash = end.indexOf('-');
  return dash === -1 ? end.slice(1) : end.slice(dash + 1);
}
