import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { StatusListener } from './engine/engine-client.ts';
import type { ServerEvents } from './load-model.ts';
import type { ServerMetrics } from './server-metrics.ts';

export interface LoggedEvents extends ServerEvents {
  readonly engineStatus: StatusListener;
  readonly warmUpFailed: (file: string, error: unknown) => void;
}

/** Logs and counts what happens apart from traffic. Messages are constants, facts are fields. */
export function createServerEvents(dependencies: {
  readonly log: Logger;
  readonly metrics: ServerMetrics;
  readonly clock: Clock;
}): LoggedEvents {
  const { log, metrics, clock } = dependencies;
  return {
    policyApplied: (acknowledgement, path) => {
      metrics.policyApplied(acknowledgement, path, clock.nowMs());
      const { epoch, revision, result, reason, message } = acknowledgement;
      const fields = { component: 'policy', path, epoch, revision, code: reason };
      if (result === 'Rejected') log.warn({ ...fields, detail: message }, 'policy rejected');
      else if (result === 'Applied') log.info(fields, 'policy applied');
      else log.debug({ ...fields, result }, 'policy unchanged');
    },
    headsSwapped: metrics.headsSwapped,
    headsFetched: metrics.headsFetched,
    switchedOff: (cause, error) => {
      metrics.switchedOff(cause);
      log.warn({ component: 'safety', code: cause, err: error }, 'exits switched off');
    },
    windowsClosed: (windows) => {
      metrics.windowsClosed(windows);
    },
    diskFailed: (error) => {
      log.warn({ component: 'store', err: error }, 'disk failed');
    },
    backboneChecked: (isRight) => {
      log.warn({ component: 'engine', isRight }, 'backbone checked');
    },
    headsMissing: ({ headRevision, reason, message }) => {
      log.warn(
        { component: 'store', headRevision, code: reason, detail: message },
        'heads missing',
      );
    },
    warmUpFailed: (file, error) => {
      log.warn({ component: 'warmup', file, err: error }, 'warm-up input left out');
    },
    engineStatus: (status, end) => {
      const fields = { component: 'engine', status, code: end?.cause };
      if (end === null) {
        log.info(fields, 'engine status');
        return;
      }
      metrics.engineRestarted(end.cause);
      log.warn({ ...fields, detail: end.detail }, 'engine status');
    },
  };
}
