/**
 * Who has the next turn: first to last, then last to first, so that what slows the machine down steadily meets all of them alike, and
 * from round to round another one begins, so that none always follows the same neighbour.
 */
export function turnOrder(sides: number, round: number): number[] {
  const forward = Array.from({ length: sides }, (_, i) => (i + Math.floor(round / 2) * 3) % sides);
  return round % 2 === 0 ? forward : forward.reverse();
}
