import type { Reason } from '../../crds/v1alpha1/reasons.ts';
import type { Ledger } from './ledger.ts';
import type { Decision, LifecycleStage } from './types.ts';

/** A plan in the making: each rule of the chain takes one and gives one. */
export interface Draft {
  readonly ledger: Ledger;
  readonly decisions: readonly Decision[];
}

/** What is said about a decision; the message carries the figures that made it. */
export interface Saying {
  readonly reason: Reason;
  readonly message: string;
  readonly headRevision?: string | null;
  readonly details?: Decision['details'];
}

/** The draft with fields of the ledger replaced. */
export function change(draft: Draft, fields: Partial<Ledger>): Draft {
  return { ...draft, ledger: { ...draft.ledger, ...fields } };
}

/** The draft with one more decision. */
export function say(draft: Draft, nowMs: number, saying: Saying): Draft {
  const decision: Decision = { headRevision: null, details: {}, ...saying, nowMs };
  return { ...draft, decisions: [...draft.decisions, decision] };
}

/** The draft in another stage, whose time starts now. */
export function enter(draft: Draft, nowMs: number, stage: LifecycleStage): Draft {
  return change(draft, { stage, stageSinceMs: nowMs });
}
