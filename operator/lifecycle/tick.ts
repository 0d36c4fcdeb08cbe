// One tick's windows, counted once, sorted into what each rule needs. Windows that cannot be believed are no data.
import type { AgreementName } from '../../crds/wire/agreement.ts';
import { comparePair } from '../../crds/wire/policy.ts';
import type { EvidenceGrid, EvidenceWindow } from '../../crds/wire/evidence.ts';
import { agreementOf } from '../../server/core/agreement.ts';
import { emptyGrid, mergeGrids } from '../../server/core/evidence.ts';
import { mergeDigests } from '../../server/core/latency-digest.ts';
import { takeFresh, type FreshEvidence } from '../stats/merge-evidence.ts';
import { gridIn } from '../stats/window-losses.ts';
import { toPodRows, type PodRows } from '../stats/pod-rows.ts';
import type { TickRows } from './attempts.ts';
import { NO_REQUESTS, type Ledger, type TrackCounters } from './ledger.ts';
import { assessLoad } from './pods.ts';
import type { BackboneFacts, HeadRevisionFacts, LifecycleInput, PodReport } from './types.ts';

/** The input of a tick with its fresh windows. */
export interface Tick {
  readonly input: LifecycleInput;
  readonly nowMs: number;
  readonly backbone: BackboneFacts;
  /** Windows of this backbone that were never counted before. */
  readonly windows: readonly EvidenceWindow[];
  readonly missing: FreshEvidence['missing'];
}

/** Takes the windows after the ledger's watermarks; the caller stores the new watermarks together with what it counts. */
export function readTick(
  ledger: Ledger,
  input: LifecycleInput,
  backbone: BackboneFacts,
): { readonly tick: Tick; readonly watermarks: Ledger['watermarks'] } {
  const fresh = takeFresh(ledger.watermarks, input.pods, input.nowMs);
  const windows = fresh.windows.filter((window) => window.backboneDigest === backbone.digest);
  const tick = { input, nowMs: input.nowMs, backbone, windows, missing: fresh.missing };
  return { tick, watermarks: fresh.watermarks };
}

/** What is known about a revision; null: it is not in the store, so nothing about it can be believed. */
export function factsOf(tick: Tick, headRevision: string): HeadRevisionFacts | null {
  return tick.input.revisions.find((facts) => facts.headRevision === headRevision) ?? null;
}

/** Whether a pod holds the verified heads of a revision. */
export function holds({ acknowledgement }: PodReport, headRevision: string, tick: Tick): boolean {
  const facts = factsOf(tick, headRevision);
  if (facts === null) return false;
  return assessLoad(acknowledgement, facts, tick.backbone.digest) === 'Loaded';
}

const MAX_LOST_SHARE = 0.01;

/** Pods that hold the verified heads of a revision, by UID. */
export function holdersOf(tick: Tick, headRevision: string): ReadonlySet<string> {
  const holders = tick.input.pods.filter((pod) => holds(pod, headRevision, tick));
  return new Set(holders.map(({ podUid }) => podUid));
}

/** Windows of this revision whose audits count: known heads, on a pod that gives their known answers, at most 1 % lost. */
export function evidenceWindows(tick: Tick, headRevision: string): readonly EvidenceWindow[] {
  const facts = factsOf(tick, headRevision);
  if (facts === null) return [];
  const trusted = holdersOf(tick, headRevision);
  return tick.windows.filter(
    (window) =>
      isOfRevision(window, facts) &&
      trusted.has(window.podUid) &&
      window.auditsLost <= MAX_LOST_SHARE * window.auditsChosen,
  );
}

function isOfRevision(window: EvidenceWindow, facts: HeadRevisionFacts): boolean {
  // With the same heads on both tracks, each audited row stands in stable's window already.
  const isTwin = window.paired?.stableHeadRevision === window.headRevision;
  return (
    window.headRevision === facts.headRevision &&
    !isTwin &&
    window.exits.join() === facts.exits.join()
  );
}

/** What each pod told, of those that told a row. */
function rowsByPod(windows: readonly PodGrid[], start: EvidenceGrid): readonly PodRows[] {
  const sums = new Map<string, EvidenceGrid>();
  for (const { podUid, grid } of windows) {
    sums.set(podUid, mergeGrids(sums.get(podUid) ?? start, grid));
  }
  return [...sums].map(([podUid, grid]) => toPodRows(podUid, grid)).filter(({ n }) => n > 0);
}

type PodGrid = Pick<EvidenceWindow, 'podUid' | 'grid'>;

/** These windows as an attempt with that agreement counts them; `exitCount` is that of their revision. */
export function toTickRows(
  windows: readonly EvidenceWindow[],
  exitCount: number,
  of: { readonly agreement?: AgreementName },
): TickRows {
  const start = emptyGrid(exitCount);
  const agreement = agreementOf(of);
  const grids = windows.map((window) => ({
    podUid: window.podUid,
    grid: gridIn(window, agreement),
  }));
  return {
    grid: grids.reduce((sum, { grid }) => mergeGrids(sum, grid), start),
    pods: rowsByPod(grids, start),
    answeredRows: rowsBehind(windows),
  };
}

/** Windows of a policy that was published after the last switch-off. */
export function isAfterFence(window: EvidenceWindow, fence: Ledger['fence']): boolean {
  return comparePair({ epoch: window.epoch, revision: window.policyRevision }, fence) > 0;
}

/** The highest pair that any pod, window or the shell has named. */
export function highestPair({ input, windows }: Tick): Ledger['fence'] {
  const pairs = [
    input.published,
    ...input.pods.map((pod) => pod.acknowledgement),
    ...windows.map((window) => ({ epoch: window.epoch, revision: window.policyRevision })),
  ];
  return pairs.reduce<Ledger['fence']>(
    (highest, pair) =>
      pair !== null && comparePair(pair, highest) > 0
        ? { epoch: pair.epoch, revision: pair.revision }
        : highest,
    { epoch: 0, revision: 0 },
  );
}

/** Rows of a window that were answered, on whatever path. */
export function answeredRows({ served }: EvidenceWindow): number {
  return served.rows.reduce((sum, rows) => sum + rows, 0);
}

/** Requests of a track, on the given pods only. Rows answered without a stable head revision are stable's. */
export function trackCounters(
  tick: Tick,
  isTrack: (window: EvidenceWindow) => boolean,
): TrackCounters {
  return tick.windows.filter(isTrack).reduce<TrackCounters>(
    (sum, window) => ({
      requests: sum.requests + answeredRows(window) + window.served.errors,
      errors: sum.errors + window.served.errors,
      latency: window.served.latency.reduce(mergeDigests, sum.latency),
    }),
    NO_REQUESTS,
  );
}

/** Rows answered per second over all pods; null without windows. */
export function observedRate({ windows }: Tick): number | null {
  if (windows.length === 0) return null;
  return windowsOfPods(windows).reduce((rate, own) => {
    const seconds = longestSeconds(own);
    return seconds > 0 ? rate + rowsOf(own) / seconds : rate;
  }, 0);
}

/** The longest time that the windows of one pod cover; 0 without windows. */
export function coveredSeconds({ windows }: Tick): number {
  return Math.max(0, ...windowsOfPods(windows).map(longestSeconds));
}

function windowsOfPods(windows: readonly EvidenceWindow[]): readonly (readonly EvidenceWindow[])[] {
  const pods = new Map<string, EvidenceWindow[]>();
  for (const window of windows) {
    const own = pods.get(window.podUid);
    if (own === undefined) pods.set(window.podUid, [window]);
    else own.push(window);
  }
  return [...pods.values()];
}

/** Rows of a pod's windows: counted, or inferred from the audits where only a shadow reports. */
function rowsOf(windows: readonly EvidenceWindow[]): number {
  const counted = windows.reduce((sum, window) => sum + answeredRows(window), 0);
  return counted > 0 ? counted : Math.max(...byTrack(windows).map(rowsBehind));
}

/** Rows that the audits of one track's windows were drawn from: a window of either track holds the audits of both. */
export function rowsBehind(windows: readonly EvidenceWindow[]): number {
  const drawn = windows.filter((window) => window.auditRate > 0);
  return drawn.reduce((sum, { auditsChosen, auditRate }) => sum + auditsChosen / auditRate, 0);
}

/** Windows of both tracks cover the same time. */
function longestSeconds(windows: readonly EvidenceWindow[]): number {
  const sums = byTrack(windows).map((own) => own.reduce((sum, w) => sum + w.durationSeconds, 0));
  return Math.max(...sums);
}

function byTrack(windows: readonly EvidenceWindow[]): readonly (readonly EvidenceWindow[])[] {
  const isCandidate = (window: EvidenceWindow): boolean => window.track === 'candidate';
  return [windows.filter((w) => !isCandidate(w)), windows.filter(isCandidate)];
}
