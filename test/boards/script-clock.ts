import type { Scenario } from '../../charts/generate/dashboards/panel.ts';
import { STEP_SECONDS, type Prometheus } from './prometheus.ts';

/** Seconds since 1970 between which something was going on. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Time of a script: a minute passes when it was played and every page was scraped once more, however long that takes here. */
export interface ScriptClock {
  /** @param before each quarter of the traffic of a minute */
  readonly pass: (minutes: number, before?: () => Promise<void>) => Promise<void>;
  readonly during: (scenario: Scenario, act: () => Promise<void>) => Promise<void>;
  readonly intervals: Readonly<Partial<Record<Scenario, Interval>>>;
  /** When each minute ended, in seconds since 1970: all that happened in it is scraped by then. */
  readonly minutes: readonly number[];
}

/** For a scrape, on a machine that does many other things. */
const PATIENCE_MS = 60_000;
const POLL_MS = 40;
const nowSeconds = (): number => Date.now() / 1000;

export function createScriptClock(
  prometheus: Prometheus,
  playMinute: (before?: () => Promise<void>) => Promise<void>,
): ScriptClock {
  const intervals: Partial<Record<Scenario, Interval>> = {};
  const minutes: number[] = [];
  return {
    intervals,
    minutes,
    pass: async (count, before) => {
      for (let passed = 0; passed < count; passed++) {
        const isScraped = `min(timestamp(up)) > ${nowSeconds()}`;
        await playMinute(before);
        await prometheus.sees(isScraped, PATIENCE_MS, POLL_MS);
        minutes.push(nowSeconds());
      }
    },
    during: async (scenario, act) => {
      const from = nowSeconds();
      await act();
      // What was seen last may lie behind the last step; one more has it.
      intervals[scenario] = { from, to: nowSeconds() + STEP_SECONDS };
    },
  };
}
