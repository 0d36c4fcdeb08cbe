import { countCases } from '../../promises/count-cases.ts';
import { expectHolds } from './run-schedule.ts';

interface Plan {
  readonly first: number;
  readonly seeds: number;
  /** Of a test: what a person waits for to see how far it is. */
  readonly atOnce: number;
  readonly troubleMs: number;
}

/** Schedules of neighbouring seeds, some of them a test: the first seed of each test, and what it does. `record` is told how many there were, and how many failed. */
export function holdSchedules(
  { first, seeds, atOnce, troubleMs }: Plan,
  record: (figures: Readonly<Record<string, number>>) => void,
): {
  readonly firsts: readonly number[];
  readonly holdFrom: (first: number) => Promise<void>;
} {
  const hold = countCases(record, { cases: 'seeds', failures: 'failed' });
  return {
    firsts: Array.from({ length: seeds / atOnce }, (_, i) => first + i * atOnce),
    holdFrom: async (from) => {
      for (let seed = from; seed < from + atOnce; seed++)
        await hold(() => expectHolds(seed, troubleMs));
    },
  };
}
