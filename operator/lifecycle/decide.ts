// One tick: count what came, then an ordered chain of rules, each of which may only use what the ones before it left.
// The order is part of the meaning: what switches exits off stands before what could let them on.
import { invariant } from '../../server/core/invariant.ts';
import { chooseAuditRate } from './audit-rate.ts';
import { noticeAlarm, noticeLostAudits } from './alarm.ts';
import { noticeBackbone, noticeSettings } from './circumstances.ts';
import { collecting } from './collecting.ts';
import { countCandidate } from './count-candidate.ts';
import { countStable } from './count-stable.ts';
import { countTraffic } from './count-traffic.ts';
import { noticeCrashes } from './crashes.ts';
import { change, say, type Draft } from './draft.ts';
import { noticeHint } from './drift-hint.ts';
import type { Ledger } from './ledger.ts';
import { holdToAgreement } from './hold-to-agreement.ts';
import { holdToLatestLook, holdToTerms, takeLooks } from './looks-in-force.ts';
import { nextDelayMs } from './next-delay.ts';
import { areExitsEnabled, policyContent } from './policy-content.ts';
import { noticeLostCandidate } from './lost-candidate.ts';
import { followPin } from './pinned.ts';
import { ramping } from './ramping.ts';
import { recertifying } from './recertifying.ts';
import { answerRequest } from './requests.ts';
import { serving } from './serving.ts';
import { shadowing } from './shadowing.ts';
import { staging } from './staging.ts';
import { factsOf, readTick, type Tick } from './tick.ts';
import { noticeStarvation } from './starvation.ts';
import { training } from './training.ts';
import type { LifecycleInput, LifecyclePlan } from './types.ts';

/** Rules that apply in every stage, in this order. */
const RULES: readonly ((draft: Draft, tick: Tick) => Draft)[] = [
  noticeSettings,
  followPin,
  answerRequest,
  holdToAgreement,
  holdToTerms,
  noticeLostAudits,
  noticeAlarm,
  takeLooks,
  holdToLatestLook,
  noticeStarvation,
  noticeCrashes,
  noticeLostCandidate,
  stepStage,
  settleExits,
];

const NO_BACKBONE_DELAY_MS = 1_000;

/**
 * Decides one tick. Pure: the same ledger and input give the same plan; the shell stores the plan's ledger before it acts.
 * Missing, stale or broken evidence counts as none: it holds a stage or switches exits off, and never lets one on.
 */
export function decide(ledger: Ledger, input: LifecycleInput): LifecyclePlan {
  const { backbone } = input;
  if (backbone === null) {
    const nothing = { policy: null, training: null, decisions: [] };
    return { ...nothing, ledger, nextDelayMs: NO_BACKBONE_DELAY_MS };
  }
  const noticed = noticeBackbone({ ledger, decisions: [] }, input, backbone);
  const { tick, watermarks } = readTick(noticed.ledger, input, backbone);
  const counted = countTick({ ...noticed.ledger, watermarks }, tick);
  const sayMismatch = noticeMismatch({ ...noticed, ledger: counted }, noticed.ledger, tick);
  const sayHint = noticeHint(sayMismatch, noticed.ledger, tick);
  const done = RULES.reduce((draft, rule) => rule(draft, tick), sayHint);
  return {
    ledger: done.ledger,
    policy: policyContent(done.ledger, tick),
    training: done.ledger.training.request,
    decisions: done.decisions,
    nextDelayMs: nextDelayMs(done.ledger, tick),
  };
}

/** Adds the tick to everything that counts rows. */
function countTick(ledger: Ledger, tick: Tick): Ledger {
  return [countTraffic, countStable, countCandidate].reduce(
    (sum, count) => count(sum, tick),
    ledger,
  );
}

/** Says it once for each pod whose heads begin to answer otherwise than their bundle. */
function noticeMismatch(draft: Draft, before: Ledger, tick: Tick): Draft {
  const fresh = draft.ledger.mismatched.filter((podUid) => !before.mismatched.includes(podUid));
  return fresh.reduce(
    (said, podUid) =>
      say(said, tick.nowMs, {
        reason: 'KnownAnswerMismatch',
        message: `Heads on pod ${podUid} do not give the known answers of their bundle: nothing it says about them counts.`,
        details: { podUid },
      }),
    draft,
  );
}

/** One step of the stage. */
function stepStage(draft: Draft, tick: Tick): Draft {
  switch (draft.ledger.stage) {
    case 'Idle':
      return draft;
    case 'Collecting':
      return collecting(draft, tick);
    case 'Training':
      return training(draft, tick);
    case 'Serving':
    case 'Recertifying':
      return stepStable(draft, tick);
    case 'Staging':
    case 'Shadowing':
    case 'Ramping':
      return stepCandidate(draft, tick);
  }
}

/** Heads whose facts are lost hold: nothing about them can be verified. */
function stepStable(draft: Draft, tick: Tick): Draft {
  const { stage, stable } = draft.ledger;
  invariant(stable !== null, `stage ${stage} has a stable`);
  if (factsOf(tick, stable.headRevision) === null) return draft;
  return stage === 'Serving' ? serving(draft, stable, tick) : recertifying(draft, stable, tick);
}

function stepCandidate(draft: Draft, tick: Tick): Draft {
  const { stage, candidate } = draft.ledger;
  invariant(candidate !== null, `stage ${stage} has a candidate`);
  if (factsOf(tick, candidate.headRevision) === null) return draft;
  if (stage === 'Staging') return staging(draft, candidate, tick);
  if (candidate.ramp === null) return shadowing(draft, candidate, tick);
  return ramping(draft, candidate, candidate.ramp, tick);
}

/** Last: whether exits may answer, said when it changes, and the audit rate that goes with it. */
function settleExits(draft: Draft, tick: Tick): Draft {
  const exitsEnabled = areExitsEnabled(draft.ledger, tick);
  const settled = change(draft, { exitsEnabled });
  const auditRate = chooseAuditRate(settled.ledger, tick.input);
  const rated = change(settled, { traffic: { ...settled.ledger.traffic, auditRate } });
  if (exitsEnabled === draft.ledger.exitsEnabled) return rated;
  const { stable, candidate } = draft.ledger;
  return say(rated, tick.nowMs, {
    reason: exitsEnabled ? 'ExitsEnabled' : 'ExitsDisabled',
    message: exitsEnabled
      ? 'Exits may answer from the next policy on.'
      : 'Exits answer nothing from the next policy on: the backbone answers everything.',
    headRevision: (candidate ?? stable)?.headRevision ?? null,
  });
}
