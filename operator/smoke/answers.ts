/** The numbers of an answer; a message with the body when there are none. */
export function numbersOf(answer: unknown, protocol: 'v1' | 'v2'): readonly number[] {
  const found =
    protocol === 'v2'
      ? (answer as { outputs?: { data?: unknown }[] }).outputs?.[0]?.data
      : (answer as { predictions?: unknown[] }).predictions?.[0];
  const numbers = Array.isArray(found) ? (found as unknown[]).flat(8) : [];
  if (numbers.length > 0 && numbers.every((one): one is number => typeof one === 'number')) {
    return numbers;
  }
  throw new Error(`the answer holds no numbers: ${JSON.stringify(answer).slice(0, 300)}`);
}

/** Both protocols print floats; the last digit may differ. */
export function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, at) => Math.abs(value - Number(b[at])) < 1e-5);
}
