type Record = (figures: Readonly<globalThis.Record<string, number>>) => void;

/** Runs one case, or `size` of them at once, and throws what it throws. */
export type HoldCase = (work: () => void | Promise<void>, size?: number) => Promise<void>;

/**
 * Counts cases, and those that did not hold, under names of a promise. Both are recorded after each case, also after one that fails: a
 * promise that is broken says so, instead of having no record.
 */
export function countCases(
  record: Record,
  names: { readonly cases: string; readonly failures: string },
): HoldCase {
  let cases = 0;
  let failures = 0;
  return async (work, size = 1) => {
    try {
      await work();
    } catch (error) {
      failures += 1;
      throw error;
    } finally {
      cases += size;
      record({ [names.cases]: cases, [names.failures]: failures });
    }
  };
}
