import { WHOLE_LOSS } from '../crds/wire/agreement.ts';
import type { Track } from '../crds/wire/evidence.ts';
import type { Policy, PolicyTrack } from '../crds/wire/policy.ts';
import type { Clock } from './clock.ts';
import { agreementOf } from './core/agreement.ts';
import type { Breaker } from './core/breaker.ts';
import { createBreaker, isStratumOver } from './core/breaker.ts';
import type { AuditedRow, BatchOutcome, PlannedTrack } from './engine/engine-client.ts';
import { exitInForce } from './evidence/track-window.ts';
import type { Serving } from './serving.ts';
import { answeringExits } from './serving.ts';

export type SwitchOffCause = 'numeric' | 'breaker' | 'stale_policy';

/**
 * What this server may decide without the operator, and only towards the backbone: numeric bursts and bad strata cut an
 * exit (and all later ones) until the next revision; the breaker holds a track until a new certificate; a stale policy
 * takes the candidate's share and, without enough own audits, the stable exits.
 */
export interface Safety {
  onAudits(serving: Serving, audits: readonly AuditedRow[]): void;
  onNumeric(serving: Serving, heads: BatchOutcome['nonFiniteHeads']): void;
  /** The operator spoke: a policy, a head bundle or an evidence pull. */
  heard(): void;
  /** Milliseconds since then; null while nobody spoke. */
  silentMs(): number | null;
  /** Names of the given exits that stand before the first local cut of the revision. */
  beforeCut(headRevision: string, exits: readonly string[]): readonly string[];
  view(policy: Policy): SafetyView;
  /** Counts of revisions that the policy no longer names go; their cuts and alarms stay. */
  retain(headRevisions: readonly string[]): void;
  /** Exits of a revision that are off locally, for evidence windows. */
  switchedOff(policy: Policy | null, headRevision: string): readonly SwitchedOff[];
}

export interface SafetyView {
  readonly held: ReadonlySet<Track>;
  readonly isStale: boolean;
}

export interface SwitchedOff {
  readonly exit: string;
  readonly cause: SwitchOffCause;
}

export interface SafetyOptions {
  readonly clock: Clock;
  /** A cut or an alarm: the snapshot must follow before the next batch. */
  readonly onChange: (cause: SwitchOffCause) => void;
}

const BURST_ROWS = 10;
const BURST_MS = 60_000;
const AUDIT_BUCKET_MS = 600_000;
const AUDIT_BUCKETS = 144;

export function createSafety({ clock, onChange }: SafetyOptions): Safety {
  const cuts = new Map<string, Map<string, SwitchOffCause>>();
  const bursts = new Map<string, { readonly atMs: number; readonly rows: number }[]>();
  const strata = new Map<string, { audits: number; lossTenths: number }>();
  const breakers = new Map<string, Breaker>();
  const audits = createRecentCount(clock);
  let heardMs = clock.monotonicMs();
  let hasHeard = false;

  function cut(headRevision: string, exit: string, cause: SwitchOffCause): void {
    const own = cuts.get(headRevision) ?? new Map<string, SwitchOffCause>();
    if (own.has(exit)) return;
    cuts.set(headRevision, own.set(exit, cause));
    onChange(cause);
  }

  function addToBreaker(track: PolicyTrack, budget: number, lossTenths: number): void {
    const key = certificateKey(track);
    const breaker = breakers.get(key) ?? createBreaker(budget);
    breakers.set(key, breaker);
    if (breaker.isTripped) return;
    if (breaker.addAudit(lossTenths)) onChange('breaker');
  }

  function addToStratum(
    planned: PlannedTrack,
    at: { readonly exit: number; readonly classId: number; readonly lossTenths: number },
    budget: number,
  ): void {
    const exit = planned.bundle.heads[at.exit]?.exit ?? '';
    const key = `${planned.headRevision}/${exit}/${at.classId}`;
    const stratum = strata.get(key) ?? { audits: 0, lossTenths: 0 };
    strata.set(key, stratum);
    stratum.audits += 1;
    if (at.lossTenths === 0) return;
    stratum.lossTenths += at.lossTenths;
    const disagreements = Math.floor(stratum.lossTenths / WHOLE_LOSS);
    if (isStratumOver({ ...stratum, disagreements }, budget)) {
      cut(planned.headRevision, exit, 'breaker');
    }
  }

  function isTripped(track: PolicyTrack | null): boolean {
    return track !== null && breakers.get(certificateKey(track))?.isTripped === true;
  }

  function isStale(policy: Policy): boolean {
    return clock.monotonicMs() - heardMs > policy.maxAgeSeconds * 1000;
  }

  /** Too few own audits in the last day to say that a certificate of an operator long silent still holds. */
  function isBlind({ budget, confidence }: Policy): boolean {
    const needed = Math.ceil(Math.log(1 - confidence) / Math.log(1 - budget));
    return !(audits.count() >= needed);
  }

  function view(policy: Policy): SafetyView {
    const stale = isStale(policy);
    const held = new Set<Track>();
    if (isTripped(policy.stable) || (stale && isBlind(policy))) held.add('stable');
    if (isTripped(policy.candidate)) held.add('candidate');
    return { held, isStale: stale };
  }

  return {
    onAudits: (serving, rows) => {
      const { policy } = serving;
      audits.add(rows.length);
      if (policy === null) return;
      serving.plan.tracks.forEach((planned, i) => {
        const named = policy[planned.track];
        if (named === null || answeringExits(serving, planned.track).length === 0) return;
        for (const { tracks, backboneClass } of rows) {
          const scored = tracks[i];
          if (scored === undefined) continue;
          const exit = exitInForce(planned, scored.scores);
          const classId = scored.classes[exit] ?? backboneClass;
          const lossTenths = countedLoss(named, scored.lossTenths[exit] ?? 0);
          addToBreaker(named, policy.budget, lossTenths);
          if (exit >= 0) addToStratum(planned, { exit, classId, lossTenths }, policy.budget);
        }
      });
    },
    onNumeric: (serving, heads) => {
      const nowMs = clock.monotonicMs();
      for (const { track, exit, rows } of heads) {
        const planned = serving.plan.tracks.find((one) => one.track === track);
        if (planned === undefined) continue;
        const key = `${planned.headRevision}/${exit}`;
        const recent = (bursts.get(key) ?? []).filter(({ atMs }) => nowMs - atMs <= BURST_MS);
        recent.push({ atMs: nowMs, rows });
        bursts.set(key, recent);
        const total = recent.reduce((sum, entry) => sum + entry.rows, 0);
        if (total >= BURST_ROWS) cut(planned.headRevision, exit, 'numeric');
      }
    },
    heard: () => {
      heardMs = clock.monotonicMs();
      hasHeard = true;
    },
    silentMs: () => (hasHeard ? clock.monotonicMs() - heardMs : null),
    beforeCut: (headRevision, exits) => {
      const own = cuts.get(headRevision);
      const first = own === undefined ? -1 : exits.findIndex((exit) => own.has(exit));
      return first === -1 ? exits : exits.slice(0, first);
    },
    view,
    retain: (headRevisions) => {
      for (const counts of [bursts, strata]) {
        for (const key of counts.keys()) {
          if (!headRevisions.some((revision) => key.startsWith(revision))) counts.delete(key);
        }
      }
    },
    switchedOff: (policy, headRevision) => {
      const own = [...(cuts.get(headRevision) ?? [])].map(([exit, cause]) => ({ exit, cause }));
      const named = [policy?.stable, policy?.candidate].filter(
        (track) => track?.headRevision === headRevision,
      );
      const off = named.flatMap((track): SwitchedOff[] => {
        if (track === null || track === undefined || policy === null) return [];
        if (isTripped(track))
          return track.activeExits.map((exit) => ({ exit, cause: 'breaker' as const }));
        const isHeld = track === policy.stable && view(policy).held.has('stable');
        return isHeld
          ? track.activeExits.map((exit) => ({ exit, cause: 'stale_policy' as const }))
          : [];
      });
      const all = [...own, ...off];
      return all.filter(({ exit }, i) => all.findIndex((other) => other.exit === exit) === i);
    },
  };
}

/** What a loss counts for by the agreement that was certified, in tenths of a row: any at all is a whole one where it is Strict. */
function countedLoss({ certificate }: PolicyTrack, lossTenths: number): number {
  const { unitsOf, rowUnits } = agreementOf(certificate ?? {});
  return (unitsOf(lossTenths) * WHOLE_LOSS) / rowUnits;
}

/**
 * A tripped breaker stays tripped until there is fresh evidence: another look or another attempt. Tightening lambda
 * under the same look keeps the key.
 */
export function certificateKey({ headRevision, certificate }: PolicyTrack): string {
  if (certificate === null) return headRevision;
  const { attempt, look, audits } = certificate;
  return `${headRevision}/${attempt}/${look}/${audits}`;
}

/** Rows counted in the last 24 hours, in buckets of ten minutes. */
function createRecentCount(clock: Clock): { add(rows: number): void; count(): number } {
  const buckets = new Map<number, number>();
  const bucketNow = () => Math.floor(clock.monotonicMs() / AUDIT_BUCKET_MS);
  return {
    add: (rows) => {
      const bucket = bucketNow();
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + rows);
    },
    count: () => {
      const oldest = bucketNow() - AUDIT_BUCKETS;
      let sum = 0;
      for (const [bucket, rows] of buckets) {
        if (bucket <= oldest) buckets.delete(bucket);
        else sum += rows;
      }
      return sum;
    },
  };
}
