import type { BodyKind } from './protocol.ts';
import type { Layout } from './peer.ts';

/** What a run of the comparison leaves: the README's table and figure are made of it, and of nothing else. */
export interface PeerResults {
  /** Day of the run. */
  readonly date: string;
  readonly machine: Machine;
  readonly plan: PeerPlan;
  readonly cases: readonly CaseResults[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly onnxruntime: string;
  /** Over one minute, before the first measurement: above about 1, other programs were measured too. */
  readonly loadBefore: number;
}

export interface PeerPlan {
  /** Turns of each server at each load. */
  readonly rounds: number;
  readonly seconds: number;
  readonly openSeconds: number;
  readonly warmSeconds: number;
}

/** One model through every server. */
export interface CaseResults {
  readonly name: string;
  readonly rowShape: readonly number[];
  /** Of the open loop. */
  readonly ratePerSecond: number;
  readonly lanes: readonly Lane[];
}

/** A server under one kind of request. */
export interface LaneName {
  readonly server: string;
  readonly version: string;
  readonly layout: Layout;
  readonly body: string;
  readonly kind: BodyKind;
}

export type Lane = MeasuredLane | FailedLane;

export interface MeasuredLane extends LaneName {
  readonly failure: null;
  /** By number of callers, ascending. */
  readonly closed: readonly ClosedFigures[];
  readonly open: OpenFigures;
  /** Of all its processes, after the load. */
  readonly memoryMib: number;
  /** Processor time of all its processes while others had their turns, in milliseconds a second. */
  readonly idleMsPerSecond: number;
}

export interface FailedLane extends LaneName {
  /** One sentence. */
  readonly failure: string;
}

/** Medians over the rounds. */
export interface ClosedFigures {
  readonly concurrency: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all the server's processes. */
  readonly processorMsPerRequest: number;
  /** Share of a core that the callers took. */
  readonly generatorShare: number;
}

export interface OpenFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests without an answer 200, of all rounds. */
  readonly failed: number;
  readonly requests: number;
  readonly lagP99Ms: number;
}

export function isMeasured(lane: Lane): lane is MeasuredLane {
  return lane.failure === null;
}
