import { COLLECT_ROWS } from '../../lifecycle/collecting.ts';
import type { RunDrills } from '../drills/run-drills.ts';
import type { RunTally } from '../report/run-tally.ts';
import type { RunTraffic } from './run-traffic.ts';

export interface UserTrafficOptions {
  readonly tally: RunTally;
  readonly drills: Pick<RunDrills, 'onSent'>;
}

/**
 * The user's own requests to the predict URL (--traffic http). The run sends nothing and sees only what the servers count: it
 * lasts until it is stopped, and its rows cannot be compared with the backbone afterwards.
 */
export function createUserTraffic({ tally, drills }: UserTrafficOptions): RunTraffic {
  const stopped = new AbortController();
  return {
    replay: {
      run: () =>
        new Promise((resolve) => {
          if (stopped.signal.aborted) resolve();
          stopped.signal.addEventListener('abort', () => {
            resolve();
          });
        }),
      setDemand: () => undefined,
      idle: () => Promise.resolve(),
      stop: () => {
        stopped.abort();
      },
      isTrainingSpent: false,
      get sentRows() {
        return tally.run.requests;
      },
      latencies: { backboneMs: [], layercacheMs: [] },
    },
    collectRows: () => COLLECT_ROWS,
    evidenceRows: null,
    repeatsFrom: () => null,
    onWindow: (window) => {
      tally.addServed(window);
      drills.onSent(tally.run.requests);
    },
    facts: () => ({ droppedDuplicates: 0, skippedRows: 0, repeated: false }),
    compare: () => Promise.resolve(null),
    giveUp: () => undefined,
    close: () => undefined,
  };
}
