import { setTimeout as wait } from 'node:timers/promises';
import type { DriftHint } from '../../crds/wire/drift-hints.ts';
import type { ComputeSeconds, EvidenceWindow, Track } from '../../crds/wire/evidence.ts';
import type { Clock } from '../clock.ts';
import { agreementOf, AGREEMENTS } from '../core/agreement.ts';
import { unitGrid } from '../core/loss-evidence.ts';
import type { AuditedRow, BatchOutcome } from '../engine/engine-client.ts';
import type { BatchRow, RowRecord } from '../queue/batch-log.ts';
import type { Serving } from '../serving.ts';
import type { WindowRing } from './window-ring.ts';
import type { PairedCounter, TrackWindow } from './track-window.ts';
import {
  addAudit,
  createPairedCounter,
  openTrackWindow,
  toServedCounters,
  toStrata,
} from './track-window.ts';

/** The books of one batch within the windows of its snapshot. */
export interface WindowEntry {
  answered(record: RowRecord): void;
  finished(outcome: BatchOutcome, rows: readonly BatchRow[]): void;
  failed(rows: readonly BatchRow[]): void;
  close(): void;
}

/**
 * Open windows belong to one snapshot: only rows answered under it go in. A window that is closed while batches of its
 * snapshot still run waits for them, so a late audit never lands under another policy.
 */
export interface WindowRecorder {
  enter(serving: Serving): WindowEntry;
  rowsFailed(serving: Serving, track: Track, rows: number): void;
  /** Closes the open windows; resolves when all rows answered so far are in the ring (2 s at most). */
  close(): Promise<void>;
  /** A new snapshot is in force. */
  readonly onSwap: (serving: Serving) => void;
}

export interface WindowRecorderOptions {
  readonly podUid: string;
  readonly bootId: string;
  readonly backboneDigest: string;
  readonly clock: Clock;
  readonly ring: WindowRing;
  /** Exits of the revision that are off locally. */
  readonly switchedOff: (headRevision: string) => readonly string[];
  /** What looks unlike before about the rows of stable. */
  readonly driftHints: () => readonly DriftHint[];
  /** After windows went into the ring. */
  readonly onClosed: (windows: number) => void;
}

interface OpenGroup {
  readonly serving: Serving;
  readonly openedMs: number;
  readonly windows: readonly TrackWindow[];
  readonly paired: PairedCounter | null;
  readonly compute: { -readonly [kind in keyof ComputeSeconds]: number };
  auditsChosen: number;
  auditsLost: number;
  /** Batches that still run. */
  running: number;
  isClosing: boolean;
}

const CLOSE_WITHIN_MS = 2_000;

export function createWindowRecorder(options: WindowRecorderOptions): WindowRecorder {
  const { clock, ring } = options;
  let open: OpenGroup | null = null;
  const closing = new Set<OpenGroup>();

  function groupFor(serving: Serving): OpenGroup {
    if (open?.serving !== serving) {
      startClosing();
      open = openGroup(serving, clock.monotonicMs());
    }
    return open;
  }

  function startClosing(): void {
    if (open === null) return;
    open.isClosing = true;
    closing.add(open);
    finishIfDone(open);
    open = null;
  }

  function finishIfDone(group: OpenGroup): void {
    if (!group.isClosing || group.running > 0) return;
    closing.delete(group);
    const closedMs = clock.monotonicMs();
    group.windows.forEach((window, i) => {
      ring.add((seq) => toWindow(group, window, { seq, isFirst: i === 0, closedMs }));
    });
    options.onClosed(group.windows.length);
  }

  function toWindow(
    group: OpenGroup,
    window: TrackWindow,
    at: { readonly seq: number; readonly isFirst: boolean; readonly closedMs: number },
  ): EvidenceWindow {
    const { podUid, bootId, backboneDigest } = options;
    return {
      schemaVersion: 1,
      podUid,
      bootId,
      seq: at.seq,
      backboneDigest,
      ...revisionFields(window, options.switchedOff),
      ...policyFields(group.serving, window.track),
      exits: window.exits,
      durationSeconds: Math.max(0, at.closedMs - group.openedMs) / 1000,
      ...gridFields(window, group.serving),
      strata: toStrata(window),
      paired: window.track === 'candidate' ? (group.paired?.snapshot() ?? null) : null,
      served: toServedCounters(window),
      compute: at.isFirst ? { ...group.compute } : null,
      auditsChosen: group.auditsChosen,
      auditsLost: group.auditsLost,
      ...hintFields(window, options.driftHints()),
    };
  }

  return {
    enter: (serving) => {
      const group = groupFor(serving);
      group.running += 1;
      return {
        answered: (record) => {
          countAnswer(group, record);
        },
        finished: (outcome, rows) => {
          countOutcome(group, outcome, rows);
        },
        failed: (rows) => {
          const lost = rows.filter((row) => row.audited).length;
          group.auditsChosen += lost;
          group.auditsLost += lost;
        },
        close: () => {
          group.running -= 1;
          finishIfDone(group);
        },
      };
    },
    rowsFailed: (serving, track, rows) => {
      const window = windowOf(groupFor(serving), track);
      if (window !== null) window.served.errors += rows;
    },
    close: async () => {
      const serving = open?.serving;
      startClosing();
      if (serving !== undefined) open = openGroup(serving, clock.monotonicMs());
      // A batch that never ends must not keep a pull waiting.
      for (let waitedMs = 0; closing.size > 0 && waitedMs < CLOSE_WITHIN_MS; waitedMs += 5) {
        await wait(5);
      }
    },
    onSwap: (serving) => {
      groupFor(serving);
    },
  };
}

/** Rows without heads have no revision and no track of their own. */
function revisionFields(
  { planned, track }: TrackWindow,
  switchedOff: WindowRecorderOptions['switchedOff'],
): Pick<EvidenceWindow, 'headRevision' | 'track' | 'lambdaIndex' | 'switchedOff'> {
  if (planned === null)
    return { headRevision: null, track: null, lambdaIndex: null, switchedOff: [] };
  const { headRevision, lambdaIndex } = planned;
  return { headRevision, track, lambdaIndex, switchedOff: [...switchedOff(headRevision)] };
}

/** Losses only where the policy asks for them: operators of the version before do not know the field. */
function gridFields(
  { grid, exitLossTenths }: TrackWindow,
  { policy }: Serving,
): Pick<EvidenceWindow, 'grid' | 'losses' | 'exitLossTenths'> {
  const counted = grid.snapshot();
  const { losses } = counted;
  return {
    grid: unitGrid(counted, AGREEMENTS.Strict),
    ...(policy?.agreement === 'F1' ? { losses, exitLossTenths: [...exitLossTenths] } : {}),
  };
}

/** Without a hint the field is not there: operators of the version before do not know it. */
function hintFields(
  { planned, track }: TrackWindow,
  driftHints: readonly DriftHint[],
): Pick<EvidenceWindow, 'driftHints'> {
  if (planned === null || track !== 'stable' || driftHints.length === 0) return {};
  return { driftHints };
}

function policyFields(
  { policy, candidateShare }: Serving,
  track: Track,
): Pick<EvidenceWindow, 'epoch' | 'policyRevision' | 'share' | 'exitsEnabled' | 'auditRate'> {
  const share = track === 'candidate' ? candidateShare : 1 - candidateShare;
  if (policy === null)
    return { epoch: 0, policyRevision: 0, share, exitsEnabled: false, auditRate: 0 };
  const { epoch, revision, exitsEnabled, auditRate } = policy;
  return { epoch, policyRevision: revision, share, exitsEnabled, auditRate };
}

function openGroup(serving: Serving, openedMs: number): OpenGroup {
  const { tracks } = serving.plan;
  const hasStable = tracks.some((planned) => planned.track === 'stable');
  // Rows without heads need counters too: a first candidate is compared with them.
  const plain = hasStable ? [] : [openTrackWindow('stable', null)];
  return {
    serving,
    openedMs,
    windows: [...plain, ...tracks.map((planned) => openTrackWindow(planned.track, planned))],
    paired: createPairedCounter(tracks, agreementOf(serving.policy ?? {})),
    compute: { segment: 0, head: 0, companion: 0, compact: 0, audit: 0, plain: 0 },
    auditsChosen: 0,
    auditsLost: 0,
    running: 0,
    isClosing: false,
  };
}

function windowOf(group: OpenGroup, track: Track): TrackWindow | null {
  return group.windows.find((window) => window.track === track) ?? null;
}

function countAnswer(group: OpenGroup, { track, row, answer, latencyMs }: RowRecord): void {
  const window = windowOf(group, track);
  if (window === null) return;
  const { served } = window;
  if (row.forced === 'opt_out') {
    served.optedOut += 1;
    return;
  }
  const place = answer.exit >= 0 ? answer.exit : window.exits.length;
  served.rows[place] = (served.rows[place] ?? 0) + 1;
  if (row.forced !== null) served.forced += 1;
  served.latency[place]?.add(latencyMs * 1000);
}

function countOutcome(group: OpenGroup, outcome: BatchOutcome, rows: readonly BatchRow[]): void {
  const notFinite = new Set(outcome.nonFiniteRows);
  // A row without a finite backbone answer has nothing to compare with: it is neither evidence nor lost.
  const chosen = rows.filter((row, i) => row.audited && !notFinite.has(i)).length;
  group.auditsChosen += chosen;
  group.auditsLost += Math.max(0, chosen - outcome.audits.length);
  for (const audit of outcome.audits) addToTracks(group, audit);
  for (const { track, rows: count } of outcome.nonFiniteHeads) {
    const window = windowOf(group, track);
    if (window !== null) window.served.numericFallbacks += count;
  }
  group.compute.segment += outcome.seconds.segment;
  group.compute.head += outcome.seconds.head;
  group.compute.companion += outcome.seconds.companion;
  group.compute.compact += outcome.seconds.compact;
  group.compute.audit += outcome.seconds.audit;
  group.compute.plain += outcome.seconds.plain;
}

function addToTracks(group: OpenGroup, audit: AuditedRow): void {
  const { tracks } = group.serving.plan;
  audit.tracks.forEach((scored, i) => {
    const planned = tracks[i];
    const window = planned === undefined ? null : windowOf(group, planned.track);
    if (window !== null) addAudit(window, scored);
  });
  group.paired?.add(audit);
}
