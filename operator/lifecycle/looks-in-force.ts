// Looks are taken once, stored, and held to: what is in force is never above the newest look (exits.md 6.2).
import { measureOf, type Measure } from '../../crds/wire/measure.ts';
import { agreementOf } from '../../server/core/agreement.ts';
import { disagreesTooSeldom, type FlaggedPod } from '../stats/flagged-pods.ts';
import { disagreementsAt } from '../stats/grid-column.ts';
import { certificateOf, latestLook, lookIfDue, tightenTerms } from './attempts.ts';
import { evidenceOf, restStage, type CertifiedLambda } from './candidates.ts';
import { freshDetector } from './count-stable.ts';
import { change, enter, say, type Draft } from './draft.ts';
import type { Attempt, CandidateRecord } from './ledger.ts';
import { withoutCertificate } from './switch-off.ts';
import { count, disagreementText, lambdaText, percent } from './text.ts';
import type { Tick } from './tick.ts';
import type { Decision, StoredLook } from './types.ts';

/** Holds stored looks to a tighter budget or a higher confidence; a looser one waits for the next certificate. */
export function holdToTerms(draft: Draft, { input }: Tick): Draft {
  const { stable, candidate } = draft.ledger;
  // A budget of 0 is no test: it is off (exits.md 6.5).
  if (input.settings.budget === 0) return draft;
  return change(draft, {
    stable: stable && { ...stable, evidence: tightenTerms(stable.evidence, input.settings) },
    candidate: candidate && {
      ...candidate,
      evidence: candidate.evidence && tightenTerms(candidate.evidence, input.settings),
    },
  });
}

/** Takes every look that is due, of stable and of the candidate. */
export function takeLooks(draft: Draft, tick: Tick): Draft {
  const { stable, candidate } = draft.ledger;
  const ofStable = stable && lookIfDue(stable.evidence, tick.nowMs);
  const ofCandidate = candidate?.evidence ? lookIfDue(candidate.evidence, tick.nowMs) : null;
  const taken = change(draft, {
    stable: stable && ofStable && { ...stable, evidence: ofStable },
    candidate: candidate && { ...candidate, evidence: ofCandidate },
  });
  const said = sayLook(taken, tick, {
    ...{ before: stable?.evidence, after: ofStable, of: stable },
    name: "stable's attempt",
  });
  return sayLook(said, tick, {
    ...{ before: candidate?.evidence, after: ofCandidate, of: candidate },
    name: 'attempt',
  });
}

function sayLook(
  draft: Draft,
  tick: Tick,
  look: {
    readonly before: Attempt | null | undefined;
    readonly after: Attempt | null;
    readonly of: { readonly headRevision: string } | null;
    /** Of the attempt: while a candidate is tested, looks of both are told. */
    readonly name: string;
  },
): Draft {
  const { before, after, of, name } = look;
  const taken = after === null || after === before ? null : latestLook(after);
  if (after === null || taken === null || of === null) return draft;
  return say(sayFlagged(draft, tick, taken, { ...after, ...of }), tick.nowMs, {
    reason: taken.lambdaIndex === null ? 'NoCertificate' : 'Certified',
    message: lookText(taken, after, name),
    headRevision: of.headRevision,
    details: lookDetails(taken, after),
  });
}

/** Each pod that stands out, and that it does not speak for the others. */
function sayFlagged(
  draft: Draft,
  tick: Tick,
  { look, flagged }: StoredLook,
  of: Pick<Attempt, 'agreement'> & { readonly headRevision: string },
): Draft {
  const measure = measureOf(of);
  const { headRevision } = of;
  if (flagged === null) return draft;
  const isWhole = flagged.count === flagged.pods.length;
  const all = isWhole ? '' : ` In all ${count(flagged.count)} pods do.`;
  return flagged.pods.reduce(
    (said, pod, i) =>
      say(said, tick.nowMs, {
        reason: 'PodDeviates',
        message: `${flaggedText(pod, measure)}${i === 0 ? all : ''}`,
        headRevision,
        details: { look, flagged: flagged.count, ...pod },
      }),
    draft,
  );
}

function flaggedText(pod: FlaggedPod, { rows }: Measure): string {
  const { podUid, audits, disagreements, otherAudits, otherDisagreements } = pod;
  const own = `${count(disagreements)} of its ${count(audits)} audited rows ${rows.now}`;
  const other = `${count(otherDisagreements)} of ${count(otherAudits)} of the other pods`;
  const so = disagreesTooSeldom(pod)
    ? ' It does not speak for them: the look has to pass without it too.'
    : '';
  return `Pod ${podUid} stands out: ${own}, against ${other}.${so}`;
}

function lookText(taken: StoredLook, attempt: Attempt, name: string): string {
  const { look, grid, lambdaIndex, dispersion, flagged } = taken;
  const bursts = dispersion > 1 ? `, rows come in bursts (D ${dispersion.toPrecision(3)})` : '';
  const where = `Look ${String(look)} of ${name} ${String(attempt.attempt)} on ${count(grid.n)} audited rows${bursts}`;
  if (lambdaIndex === null) {
    const without = flagged?.without
      ? ` without the pods that ${measureOf(attempt).tooSeldom}`
      : '';
    return `${where}: no lambda is proven within ${percent(attempt.budget)} at ${percent(attempt.confidence)}${without}; ${disagreementText(disagreementsAt(grid, 0), attempt)} at the smallest.`;
  }
  const units = disagreementsAt(grid, lambdaIndex);
  return `${where}: lambda ${lambdaText(lambdaIndex)} is within ${percent(attempt.budget)} at ${percent(attempt.confidence)}, with ${disagreementText(units, attempt)}.`;
}

function lookDetails(
  { look, grid, lambdaIndex, dispersion }: StoredLook,
  { attempt, ...terms }: Attempt,
): Decision['details'] {
  const disagreements = disagreementsAt(grid, lambdaIndex ?? 0) / agreementOf(terms).rowUnits;
  return { look, attempt, audits: grid.n, disagreements, lambdaIndex, dispersion };
}

/** Holds what is in force to the newest look: smaller at once, none switches off, larger is left to a candidate. */
export function holdToLatestLook(draft: Draft, tick: Tick): Draft {
  return holdCandidate(holdStable(draft, tick), tick);
}

/** Lambda of the newest look with the counts that certify it; null when it accepted none. */
export function certifiedNow(
  { headRevision, evidence }: { readonly headRevision: string; readonly evidence: Attempt },
  tick: Tick,
): CertifiedLambda | null {
  const look = latestLook(evidence);
  const lambdaIndex = look?.lambdaIndex ?? null;
  if (look === null || lambdaIndex === null) return null;
  const at = { headRevision, lambdaIndex, backboneDigest: tick.backbone.digest };
  return { lambdaIndex, certificate: certificateOf(evidence, look, at) };
}

function holdStable(draft: Draft, tick: Tick): Draft {
  const { stable, stage } = draft.ledger;
  const lambdaIndex = stable?.lambdaIndex ?? null;
  if (stable === null || lambdaIndex === null) return draft;
  const { headRevision, evidence } = stable;
  const now = certifiedNow(stable, tick);
  if (now === null) {
    const off = change(draft, { stable: withoutCertificate(stable, tick, 'NotCertified') });
    const moved = stage === 'Serving' ? enter(off, tick.nowMs, 'Recertifying') : off;
    const message =
      'Exits are off: on the rows so far no lambda is proven within the budget any more.';
    return say(moved, tick.nowMs, { reason: 'NotCertified', message, headRevision });
  }
  if (now.lambdaIndex >= lambdaIndex) return draft;
  return sayTightened(
    change(draft, { stable: { ...stable, ...now, detector: freshDetector(evidence.budget) } }),
    tick,
    { headRevision, from: lambdaIndex, to: now.lambdaIndex },
  );
}

function holdCandidate(draft: Draft, tick: Tick): Draft {
  const { candidate, stage } = draft.ledger;
  if (candidate === null) return draft;
  const evidence = evidenceOf(draft.ledger, candidate);
  const now = certifiedNow({ ...candidate, evidence }, tick);
  // Nothing is in force while shadowing, so there the newest look is taken over whole.
  if (stage !== 'Ramping' || candidate.lambdaIndex === null) return shadowAt(draft, candidate, now);
  if (now === null) return takeBack(draft, candidate, tick);
  if (now.lambdaIndex >= candidate.lambdaIndex) return draft;
  const { headRevision, lambdaIndex: from } = candidate;
  const moved = { headRevision, from, to: now.lambdaIndex };
  return sayTightened(change(draft, { candidate: { ...candidate, ...now } }), tick, moved);
}

function shadowAt(draft: Draft, candidate: CandidateRecord, now: CertifiedLambda | null): Draft {
  if (now?.lambdaIndex === candidate.lambdaIndex) return draft;
  const at = now ?? { lambdaIndex: null, certificate: null };
  return change(draft, { candidate: { ...candidate, ...at } });
}

/** A candidate that takes traffic lost its lambda: fresh heads go back into the shadow, stable's heads to where they were. */
function takeBack(draft: Draft, candidate: CandidateRecord, tick: Tick): Draft {
  const { headRevision, kind } = candidate;
  const none = { lambdaIndex: null, certificate: null, ramp: null, paired: null };
  const back =
    kind === 'New'
      ? enter(change(draft, { candidate: { ...candidate, ...none } }), tick.nowMs, 'Shadowing')
      : enter(change(draft, { candidate: null }), tick.nowMs, restStage(draft.ledger));
  const message =
    'The share is 0: on the rows so far no lambda is proven within the budget any more.';
  return say(back, tick.nowMs, { reason: 'NotCertified', message, headRevision });
}

function sayTightened(
  draft: Draft,
  tick: Tick,
  moved: { readonly headRevision: string; readonly from: number; readonly to: number },
): Draft {
  const { headRevision, from, to } = moved;
  return say(draft, tick.nowMs, {
    reason: 'LambdaTightened',
    message: `Lambda ${lambdaText(from)} is now ${lambdaText(to)}, as the newest look has it.`,
    headRevision,
    details: { from, to },
  });
}
