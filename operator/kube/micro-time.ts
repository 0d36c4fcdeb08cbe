/** RFC 3339 with the six digits that Lease and Event demand; three are refused with 400 (1.36). */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
