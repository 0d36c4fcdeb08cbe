/**
 * Whether a row is audited: one draw per row, before its content is looked at (exits.md 8.4).
 * @param random32 an unsigned 32-bit integer of the shell's cryptographic generator.
 * @param rate probability in 0..1; NaN and below 0 draw nothing, 1 and above draw every row.
 */
export function isDrawn(random32: number, rate: number): boolean {
  return random32 < rate * 4294967296;
}
