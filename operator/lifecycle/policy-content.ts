// The whole instruction for the servers, out of the ledger (server.md). When in doubt it names fewer exits.
import { placeFields } from '../../crds/wire/exit-place.ts';
import type { PolicyCandidate, PolicyExit, PolicyTrack } from '../../crds/wire/policy.ts';
import { activeExits } from './heads.ts';
import type { CandidateRecord, Ledger, StableRecord } from './ledger.ts';
import { factsOf, type Tick } from './tick.ts';
import type { PolicyContent } from './types.ts';

/** Whether anything may leave early: exits are wanted, and a certified track of known heads is in force. */
export function areExitsEnabled({ stable, candidate }: Ledger, tick: Tick): boolean {
  const { exitMode, budget } = tick.input.settings;
  const isWanted = exitMode === 'Active' && budget > 0;
  return isWanted && (isStableOn(stable, tick) || isRamping(candidate, tick));
}

function isStableOn(stable: StableRecord | null, tick: Tick): boolean {
  if (stable === null) return false;
  return stable.certificate !== null && stable.off === null && isKnown(stable.headRevision, tick);
}

/** A candidate with a step has a certificate: who takes one away takes the other. */
function isRamping(candidate: CandidateRecord | null, tick: Tick): boolean {
  if (candidate === null) return false;
  return candidate.ramp !== null && isKnown(candidate.headRevision, tick);
}

/** Heads that the store lost cannot be verified on any pod. */
function isKnown(headRevision: string, tick: Tick): boolean {
  return factsOf(tick, headRevision) !== null;
}

/** The policy of a ledger whose `exitsEnabled` and audit rate are decided. */
export function policyContent(ledger: Ledger, tick: Tick): PolicyContent {
  const { settings } = tick.input;
  return {
    schemaVersion: 1,
    ...(settings.agreement === 'F1' ? { agreement: settings.agreement } : {}),
    model: settings.model,
    backboneDigest: tick.backbone.digest,
    exitsEnabled: ledger.exitsEnabled,
    budget: settings.budget,
    confidence: settings.confidence,
    exits: policyExits(tick),
    ...policyTracks(ledger, tick),
    auditRate: ledger.traffic.auditRate,
    maxAgeSeconds: settings.maxAgeSeconds,
    limits: settings.limits,
  };
}

function policyExits({ backbone, input }: Tick): readonly PolicyExit[] {
  const isDisabled = input.settings.exitMode === 'Disabled';
  return backbone.exits.map((exit) => ({
    name: exit.name,
    ...placeFields(exit),
    ...(exit.sourceHeader === undefined ? {} : { sourceHeader: exit.sourceHeader }),
    mode: isDisabled ? 'Disabled' : exit.mode,
  }));
}

/** Disabled names no heads at all. */
function policyTracks(ledger: Ledger, tick: Tick): Pick<PolicyContent, 'stable' | 'candidate'> {
  if (tick.input.settings.exitMode === 'Disabled') return { stable: null, candidate: null };
  return { stable: stableTrack(ledger, tick), candidate: candidateTrack(ledger, tick) };
}

/** Stable heads that may not answer shadow while all exits are off; beside a candidate that takes traffic they are not run. */
function stableTrack({ stable, exitsEnabled }: Ledger, tick: Tick): PolicyTrack | null {
  if (stable === null || !isKnown(stable.headRevision, tick)) return null;
  if (isStableOn(stable, tick)) return toTrack(stable, tick);
  return exitsEnabled ? null : shadowTrack(stable.headRevision);
}

function candidateTrack({ candidate, stage }: Ledger, tick: Tick): PolicyCandidate | null {
  if (candidate === null || !isKnown(candidate.headRevision, tick)) return null;
  const track = toTrack(candidate, tick);
  if (candidate.ramp !== null) return { ...track, share: candidate.ramp.share, stage: 'Ramping' };
  return { ...track, share: 0, stage: stage === 'Staging' ? 'Staging' : 'Shadowing' };
}

function toTrack(record: StableRecord | CandidateRecord, tick: Tick): PolicyTrack {
  const { headRevision, lambdaIndex, certificate, exits } = record;
  if (certificate === null) return shadowTrack(headRevision);
  return { headRevision, lambdaIndex, certificate, activeExits: activeExits(exits, tick.backbone) };
}

/** Heads that run on audited rows and answer nothing. */
function shadowTrack(headRevision: string): PolicyTrack {
  return { headRevision, lambdaIndex: null, certificate: null, activeExits: [] };
}
