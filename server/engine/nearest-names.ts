import { editDistance } from '../../crds/schema/edit-distance.ts';

/** The names most like `wanted` by edit distance, best first; what a message suggests after a misspelt tensor. */
export function nearestNames(wanted: string, names: readonly string[], count = 3): string[] {
  return names
    .map((name) => ({ name, distance: editDistance(wanted, name) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ name }) => name);
}
