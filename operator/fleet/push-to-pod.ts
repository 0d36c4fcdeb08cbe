import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import { comparePair, type Policy } from '../../crds/wire/policy.ts';
import type { Result } from '../../crds/wire/result.ts';
import type { AdminClient } from './admin-client.ts';
import { namedRevisions } from './assess-acknowledgement.ts';
import { pushHeads } from './push-heads.ts';
import { pushPolicy } from './push-policy.ts';

/** A policy that stands in the API server already, and the bundles that are pushed with it; others the pods fetch. */
export interface Publication {
  readonly policy: Policy;
  readonly bundles: ReadonlyMap<string, Uint8Array>;
  /** A revision that this one pod alone may load so far; absent: every pod loads all. */
  readonly trial?: { readonly headRevision: string; readonly podUid: string } | undefined;
}

/** What of a publication is for this pod. */
export function forPod(publication: Publication, podUid: string): Publication {
  const { bundles, trial } = publication;
  if (trial === undefined || trial.podUid === podUid) return publication;
  const others = [...bundles].filter(([digest]) => digest !== trial.headRevision);
  return { ...publication, bundles: new Map(others) };
}

/** A pod that takes longer answers with its next evidence; nobody waits for it. */
const PUSH_MS = 2_000;

/** Whether a pod lacks the policy, or a bundle of it that could be pushed. Rejected ones are tried again: they may fit by now. */
export function needsPush(
  acknowledgement: Acknowledgement | null,
  { policy, bundles }: Publication,
): boolean {
  if (acknowledgement === null) return true;
  const order = comparePair(acknowledgement, policy);
  if (order !== 0) return order < 0;
  if (acknowledgement.reason === 'BackboneMismatch') return false;
  return namedRevisions(policy).some(
    (revision) => bundles.has(revision) && !acknowledgement.headRevisions.includes(revision),
  );
}

/**
 * Heads that the pod lacks, then the policy; again with all heads if the pod then says that one is missing (it may have lost its
 * cache). Repeating it is harmless.
 */
export async function pushToPod(
  client: AdminClient,
  publication: Publication,
  present: readonly string[],
): Promise<Result<Acknowledgement>> {
  const bounded: AdminClient = {
    ...client,
    call: (call) => client.call({ ...call, deadlineMs: PUSH_MS }),
  };
  const first = await pushOnce(bounded, publication, present);
  if (!first.ok || present.length === 0) return first;
  const { reason } = first.value;
  const lacksHeads = reason === 'HeadMissing' || reason === 'CandidateMissing';
  return lacksHeads ? pushOnce(bounded, publication, []) : first;
}

async function pushOnce(
  client: AdminClient,
  { policy, bundles }: Publication,
  present: readonly string[],
): Promise<Result<Acknowledgement>> {
  for (const revision of namedRevisions(policy)) {
    const bytes = bundles.get(revision);
    if (bytes === undefined || present.includes(revision)) continue;
    const pushed = await pushHeads(client, revision, bytes);
    if (!pushed.ok) return pushed;
  }
  return pushPolicy(client, policy);
}
