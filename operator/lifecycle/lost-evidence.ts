// Audits that were drawn and never arrived (exits.md 8.2): rows lost under load are not a random sample of rows.
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';
import { NO_LOST, type Ledger, type LostEntry } from './ledger.ts';
import { answeredRows, evidenceWindows, holdersOf, type Tick } from './tick.ts';

const MAX_ENTRIES = 10;
/** Ticks are joined until they hold that many chosen audits, so that one lost row of an idle service voids nothing. */
const MIN_CHOSEN = 10;
const MAX_LOST_SHARE = 0.01;
const MIN_RECEIVED_SHARE = 0.5;
/** Fewer expected audits fall below half by chance. */
const MIN_EXPECTED = 100;

/** Counts what a tick chose, lost and received for the revision that is watched. */
export function updateLost(lost: Ledger['lost'], tick: Tick, headRevision: string): Ledger['lost'] {
  const own = tick.windows.filter((window) => window.headRevision === headRevision);
  const gaps = tick.missing.reduce((sum, { windows }) => sum + windows, 0);
  if (own.length === 0 && gaps === 0) return lost;
  const received = evidenceWindows(tick, headRevision);
  const gap = gaps * chosenPerWindow(lost);
  const open = addEntries(lost.open, {
    windows: own.length,
    chosen: gap + sum(own, (window) => window.auditsChosen),
    lost: gap + sum(own, (window) => window.auditsLost),
    expected: sum(
      windowsBeside(own, tick, headRevision),
      (window) => answeredRows(window) * window.auditRate,
    ),
    received: sum(received, (window) => window.grid.n),
  });
  if (open.chosen < MIN_CHOSEN) return { ...lost, open };
  return { entries: [...lost.entries, open].slice(-MAX_ENTRIES), open: NO_LOST.open };
}

/**
 * Windows of the pods and policies under which these heads were held, of either track or none: an audited row counts for every track,
 * whichever answered it. A pod that does not hold them yet answers rows whose audits can be no evidence, and are not lost either.
 */
function windowsBeside(
  own: readonly EvidenceWindow[],
  tick: Tick,
  headRevision: string,
): readonly EvidenceWindow[] {
  const held = holdersOf(tick, headRevision);
  const keys = new Set(own.filter(({ podUid }) => held.has(podUid)).map(keyOf));
  return tick.windows.filter((window) => keys.has(keyOf(window)));
}

const keyOf = ({ podUid, bootId, epoch, policyRevision }: EvidenceWindow): string =>
  [podUid, bootId, epoch, policyRevision].join(' ');

/** Sums over the entries. */
export function lostSums({ entries }: Ledger['lost']): {
  readonly chosen: number;
  readonly lost: number;
  readonly expected: number;
  readonly received: number;
} {
  const { chosen, lost, expected, received } = entries.reduce(addEntries, NO_LOST.open);
  return { chosen, lost, expected, received };
}

/** Whether the last ten entries lost more than 1 % of what was chosen, or received less than half of what the rate demands. */
export function isVoid(record: Ledger['lost']): boolean {
  if (record.entries.length < MAX_ENTRIES) return false;
  const { chosen, lost, expected, received } = lostSums(record);
  const isMissing = expected >= MIN_EXPECTED && received < MIN_RECEIVED_SHARE * expected;
  return lost > MAX_LOST_SHARE * chosen || isMissing;
}

/** What a missing window held, as far as one can tell; at least one audit. */
function chosenPerWindow({ entries, open }: Ledger['lost']): number {
  const { windows, chosen } = [...entries, open].reduce(addEntries);
  return windows === 0 ? 1 : Math.max(1, chosen / windows);
}

function sum(windows: readonly EvidenceWindow[], of: (window: EvidenceWindow) => number): number {
  return windows.reduce((total, window) => total + of(window), 0);
}

function addEntries(a: LostEntry, b: LostEntry): LostEntry {
  return {
    windows: a.windows + b.windows,
    chosen: a.chosen + b.chosen,
    lost: a.lost + b.lost,
    expected: a.expected + b.expected,
    received: a.received + b.received,
  };
}
