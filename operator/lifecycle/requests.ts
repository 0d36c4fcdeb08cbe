// What a person asks for once, by annotation (api.md 9). The answer stands in the ledger, so an equal request is not heard twice.
import { abort, promote, stageNew } from './candidates.ts';
import { change, say, type Draft } from './draft.ts';
import { addFailed } from './failed-heads.ts';
import type { RequestRecord } from './ledger.ts';
import { mayReturn, returnTo } from './return-to.ts';
import { loadedPods } from './staging.ts';
import { factsOf, type Tick } from './tick.ts';
import { requestTraining } from './training-wishes.ts';
import type { LifecycleRequest } from './types.ts';

interface Answer {
  readonly draft: Draft;
  readonly result: RequestRecord['result'];
  readonly message: string;
}

/** Answers a request that was not answered yet. */
export function answerRequest(draft: Draft, tick: Tick): Draft {
  const { request } = tick.input;
  if (request === null || draft.ledger.request?.value === request.value) return draft;
  const { draft: done, result, message } = answer(draft, request, tick);
  const record = { value: request.value, result, message, atMs: tick.nowMs };
  return say(change(done, { request: record }), tick.nowMs, {
    reason: 'RequestHandled',
    message: `${request.value}: ${message}`,
    headRevision: request.headRevision,
    details: { result },
  });
}

function answer(draft: Draft, request: LifecycleRequest, tick: Tick): Answer {
  switch (request.verb) {
    case 'abort':
      return abortOnRequest(draft, request, tick);
    case 'promote':
      return promoteOnRequest(draft, request, tick);
    case 'rollback':
      return rollBack(draft, request, tick);
    case 'retry':
      return retry(draft, request, tick);
    case 'retrain':
      return retrain(draft, tick);
  }
}

const noOp = (draft: Draft, message: string): Answer => ({ draft, result: 'NoOp', message });
const refused = (draft: Draft, message: string): Answer => ({ draft, result: 'Refused', message });
const done = (draft: Draft, message: string): Answer => ({ draft, result: 'Done', message });

const NO_CANDIDATE = 'That revision is not the candidate.';

function abortOnRequest(draft: Draft, { headRevision }: LifecycleRequest, tick: Tick): Answer {
  const { candidate } = draft.ledger;
  if (candidate?.headRevision !== headRevision) return noOp(draft, NO_CANDIDATE);
  const message = 'The candidate was aborted by request.';
  return done(abort(draft, candidate, tick, { reason: 'AbortedByUser', message }), message);
}

/** Skips steps, never what proves the heads: they are loaded everywhere and certified. */
function promoteOnRequest(draft: Draft, { headRevision }: LifecycleRequest, tick: Tick): Answer {
  const { candidate } = draft.ledger;
  if (candidate?.headRevision !== headRevision) return noOp(draft, NO_CANDIDATE);
  const { ready, loaded } = loadedPods(candidate.headRevision, tick);
  if (ready === 0 || loaded < ready) {
    return refused(
      draft,
      `Only ${String(loaded)} of ${String(ready)} ready pods hold the candidate.`,
    );
  }
  if (candidate.certificate === null) {
    return refused(draft, 'The candidate has no certificate yet: nothing uncertified serves.');
  }
  return done(promote(draft, candidate, tick), 'The candidate serves all traffic.');
}

/** Heads that served here within 30 days come back with their certificate; the replaced ones are not tried again. */
function rollBack(draft: Draft, { headRevision }: LifecycleRequest, tick: Tick): Answer {
  const { stable, previous } = draft.ledger;
  if (headRevision !== null && stable?.headRevision === headRevision) {
    return noOp(draft, 'That revision serves already.');
  }
  if (previous?.stable.headRevision !== headRevision) {
    return refused(
      draft,
      'That revision did not serve before this one: pin it with heads.revision.',
    );
  }
  if (!mayReturn(previous, tick)) {
    return refused(draft, 'Its certificate does not count any more: pin it with heads.revision.');
  }
  const message = 'The heads before serve again; the replaced ones are not tried again.';
  const replaced = draft.ledger.stable;
  const back = returnTo(draft, previous.stable, tick, message);
  if (replaced === null) return done(back, message);
  const { headRevision: digest } = replaced;
  const failure = { headRevision: digest, reason: 'AbortedByUser', atMs: tick.nowMs } as const;
  return done(change(back, { failed: addFailed(back.ledger.failed, failure) }), message);
}

/** Forgets that these heads failed; without a candidate they are staged again. */
function retry(draft: Draft, { headRevision }: LifecycleRequest, tick: Tick): Answer {
  const { failed, candidate, stage } = draft.ledger;
  const others = failed.filter((known) => known.headRevision !== headRevision);
  if (headRevision === null || others.length === failed.length) {
    return noOp(draft, 'That revision has not failed.');
  }
  const cleared = change(draft, { failed: others });
  const facts = factsOf(tick, headRevision);
  const isFree = candidate === null && (stage === 'Collecting' || stage === 'Serving');
  return facts === null || !isFree
    ? done(cleared, 'It counts as never tried.')
    : done(stageNew(cleared, facts, tick), 'It is tried again.');
}

/** Skips the cooldown, once. */
function retrain(draft: Draft, tick: Tick): Answer {
  const { training, candidate, stage } = draft.ledger;
  if (tick.input.settings.trainingMode === 'Off' || stage === 'Idle') {
    return refused(draft, 'Training is off.');
  }
  if (training.request !== null || candidate !== null) {
    return noOp(draft, 'A training or a rollout is running.');
  }
  const cause = { trigger: 'NewData', part: 'long', after: [] } as const;
  return done(requestTraining(draft, tick, training.waiting ?? cause), 'A training starts.');
}
