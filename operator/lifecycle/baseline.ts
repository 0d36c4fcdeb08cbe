// What the candidate is measured against: requests that stable answered, up to the previous tick (exits.md 9.2).
import { mergeDigests } from '../../server/core/latency-digest.ts';
import type { PodTick } from './checks.ts';
import { NO_REQUESTS, type CandidateRecord, type TrackCounters } from './ledger.ts';
import { trackCounters, type Tick } from './tick.ts';

/** A generation that old figures fade with: enough for a 99th percentile, young enough for the load of the day. */
const GENERATION_REQUESTS = 10_000;

/** All figures of both generations. */
export function wholeBaseline({ older, newer }: CandidateRecord['baseline']): TrackCounters {
  return addCounters(older, newer);
}

/** Adds stable's requests of a tick: while the candidate takes traffic, only those of the pods that serve both. */
export function updateBaseline(
  candidate: CandidateRecord,
  tick: Tick,
): CandidateRecord['baseline'] {
  const pods = servingPods(candidate, tick);
  const now = trackCounters(
    tick,
    (window) =>
      window.track !== 'candidate' && (candidate.ramp === null || pods.has(window.podUid)),
  );
  const newer = addCounters(candidate.baseline.newer, now);
  if (newer.requests < GENERATION_REQUESTS) return { ...candidate.baseline, newer };
  return { older: newer, newer: NO_REQUESTS };
}

/** Requests of a tick on each pod that serves the candidate. */
export function podTicks(candidate: CandidateRecord, tick: Tick): readonly PodTick[] {
  return [...servingPods(candidate, tick)].map((pod) => ({
    candidate: trackCounters(tick, (w) => w.podUid === pod && w.track === 'candidate'),
    stable: trackCounters(tick, (w) => w.podUid === pod && w.track !== 'candidate'),
  }));
}

/** Pods that gave the candidate a share of their traffic in this tick. */
function servingPods({ headRevision }: CandidateRecord, { windows }: Tick): ReadonlySet<string> {
  const serving = windows.filter(
    (w) => w.track === 'candidate' && w.headRevision === headRevision && w.share > 0,
  );
  return new Set(serving.map(({ podUid }) => podUid));
}

function addCounters(a: TrackCounters, b: TrackCounters): TrackCounters {
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    latency: mergeDigests(a.latency, b.latency),
  };
}
