// Every pod is a new one: the service slept, or its only pod was replaced.
import { change, enter, say, type Draft } from './draft.ts';
import { chooseFirst } from './first-pod.ts';
import type { Tick } from './tick.ts';

/**
 * A candidate that no pod holds any more is staged again, and its ramp begins anew; its evidence and its certificate stay. A
 * pod that does not answer says nothing about it.
 */
export function noticeLostCandidate(draft: Draft, tick: Tick): Draft {
  const { candidate, stage } = draft.ledger;
  if (candidate?.kind !== 'New' || stage === 'Staging') return draft;
  const { headRevision } = candidate;
  const ready = tick.input.pods.filter((pod) => pod.ready);
  const isLacking = ready.every(
    ({ acknowledgement }) => acknowledgement?.headRevisions.includes(headRevision) === false,
  );
  const isLost = ready.length > 0 && tick.input.silentPods === 0 && isLacking;
  if (!isLost) return draft;
  const again = { ...candidate, ramp: null, first: chooseFirst(tick) };
  return say(enter(change(draft, { candidate: again }), tick.nowMs, 'Staging'), tick.nowMs, {
    reason: 'Staging',
    message: 'No pod holds the candidate any more: it is loaded again, and its ramp begins anew.',
    headRevision,
  });
}
