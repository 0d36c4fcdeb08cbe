/** A size as it stands in a manifest: whole bytes from 1 up, or with a binary suffix. */
export const BYTE_SIZE_PATTERN = /^[1-9][0-9]{0,9}(Ki|Mi|Gi)?$/;

const FACTORS: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** `'16Mi'` -> 16,777,216. Anything that does not match `BYTE_SIZE_PATTERN` gives NaN. */
export function parseByteSize(text: string): number {
  if (!BYTE_SIZE_PATTERN.test(text)) return NaN;
  const suffix = text.slice(-2);
  const factor = FACTORS[suffix];
  return factor === undefined ? Number(text) : Number(text.slice(0, -2)) * factor;
}
