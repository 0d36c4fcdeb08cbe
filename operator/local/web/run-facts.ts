import type { Picture } from '../page/state/page-state.ts';
import { VERSION } from '../../version.ts';

/** What is known of a run before its servers are. */
export interface RunIdentity {
  readonly service: string;
  readonly backbone: string;
  readonly traffic: string;
  readonly seed: number;
  readonly budgetRatio: number;
  readonly confidence: number;
  /** Only where the budget bounds no disagreement. */
  readonly agreement?: 'F1';
  readonly startedMs: number;
}

/** A run has something for every part of its page. */
export const ALL_SHOWN: Picture['unshown'] = {
  traffic: null,
  slices: null,
  doubt: null,
  evidence: null,
  decisions: null,
};

const STAGES = ['Load', 'Collect', 'Train', 'Certify', 'Ramp', 'Serve'];

/** The picture while servers load. */
export function loadingPicture(identity: RunIdentity, atSeconds: number): Picture {
  return {
    schemaVersion: 2,
    run: runFacts(identity),
    cluster: null,
    unshown: ALL_SHOWN,
    status: 'Loading',
    message: `Loading ${identity.backbone} and the traffic.`,
    atSeconds,
    stages: STAGES.map((name, i) => ({
      name,
      status: i === 0 ? 'Running' : 'Waiting',
      rows: 0,
      wantedRows: null,
      seconds: i === 0 ? atSeconds : 0,
      leftSeconds: null,
      message: i === 0 ? 'Servers load the backbone, find its cuts and measure them.' : '',
    })),
    exitsAre: { on: false, why: 'Nothing is served yet.' },
    totals: {
      requests: 0,
      rowsPerSecond: 0,
      early: 0,
      optedOut: 0,
      errors: 0,
      errorsByCode: {},
    },
    disagreement: { n: 0, k: 0, upper: 1 },
    certificate: null,
    curve: null,
    latency: { plain: null, layercache: null, backboneP50: null },
    saved: { timeRatio: null, latencyRatio: null },
    exits: [],
    servers: [],
    timeline: [{ stage: 'Load', share: null, startSeconds: 0, endSeconds: null }],
    decisions: [],
    statements: [],
    drills: [],
    warnings: [],
    reportPath: null,
  };
}

/** The start in milliseconds tells runs apart: a page that sees another one forgets what it had. */
export function runFacts(identity: RunIdentity): Picture['run'] {
  const { startedMs, ...facts } = identity;
  return {
    ...facts,
    id: new Date(startedMs).toISOString(),
    version: VERSION,
    engine: '',
    predictUrl: null,
    metricsUrl: null,
  };
}
