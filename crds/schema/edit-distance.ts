/** Levenshtein distance that counts a swap of neighbours as one edit (Damerau; optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1;
      let best = Math.min(
        Number(previous[j]) + 1,
        Number(current[j - 1]) + 1,
        Number(previous[j - 1]) + cost,
      );
      const isSwap =
        i > 1 &&
        j > 1 &&
        a.charAt(i - 1) === b.charAt(j - 2) &&
        a.charAt(i - 2) === b.charAt(j - 1);
      if (isSwap) best = Math.min(best, Number(beforePrevious[j - 2]) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return Number(previous[b.length]);
}

/** Up to three candidates that `name` may have meant, nearest first; letter case does not count. */
export function nearestNames(name: string, candidates: readonly string[]): string[] {
  const limit = Math.max(2, Math.floor(name.length / 3));
  return candidates
    .map((candidate) => ({
      candidate,
      distance: editDistance(name.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}
