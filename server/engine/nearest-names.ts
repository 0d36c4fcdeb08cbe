/** The names most like `wanted` by edit distance, best first; what a message suggests after a misspelt tensor. */
export function nearestNames(wanted: string, names: readonly string[], count = 3): string[] {
  return names
    .map((name) => ({ name, distance: editDistance(wanted, name) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ name }) => name);
}

function editDistance(from: string, to: string): number {
  let former = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (former[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (former[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    former = current;
  }
  return former[to.length] ?? 0;
}
