import type { ServerMetrics } from '../../server/server-metrics.ts';

const nothing = (): void => undefined;

/** For tests that are not about figures. */
export const silentMetrics: ServerMetrics = {
  traffic: {
    inFlight: nothing,
    requestAnswered: nothing,
    requestRefused: nothing,
    batchStarted: nothing,
    rowAnswered: nothing,
    batchFinished: nothing,
    batchFailed: nothing,
    sampled: nothing,
  },
  backboneLoaded: nothing,
  policyApplied: nothing,
  warmedUp: nothing,
  headsSwapped: nothing,
  headsFetched: nothing,
  switchedOff: nothing,
  windowsClosed: nothing,
  engineRestarted: nothing,
  gather: nothing,
  render: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
};
