// Training: the trainer works, traffic goes on as before. Only the report of the attempt that was asked for counts.
import { change, enter, say, type Draft } from './draft.ts';
import { restStage, stageNew } from './candidates.ts';
import { hasFailed } from './failed-heads.ts';
import { count } from './text.ts';
import type { Tick } from './tick.ts';
import type { HeadRevisionFacts, TrainingReport, TrainingRequest } from './types.ts';

/** Takes over what the trainer made, or goes back to where the service was. */
export function training(draft: Draft, tick: Tick): Draft {
  const { request } = draft.ledger.training;
  const { training: report, settings } = tick.input;
  if (request === null || settings.trainingMode === 'Off') return giveUp(draft, tick);
  if (report.kind === 'Idle' || report.kind === 'Running') return draft;
  if (report.attempt !== request.attempt) return draft;
  const ended = endTraining(draft, tick);
  return report.kind === 'Failed'
    ? sayFailed(keepAlarm(ended, request), tick, report)
    : takeOver(ended, tick, report.revision);
}

/** The next training after an alarm reads only rows after it too: those before describe traffic that is gone. */
function keepAlarm(draft: Draft, { trigger, part, after }: TrainingRequest): Draft {
  if (trigger !== 'Alarm') return draft;
  const { training: record } = draft.ledger;
  return change(draft, { training: { ...record, waiting: { trigger, part, after } } });
}

function endTraining(draft: Draft, tick: Tick): Draft {
  const { training: record } = draft.ledger;
  return change(draft, { training: { ...record, request: null, endedAtMs: tick.nowMs } });
}

function giveUp(draft: Draft, tick: Tick): Draft {
  const stopped = change(draft, { training: { ...draft.ledger.training, request: null } });
  return enter(stopped, tick.nowMs, restStage(draft.ledger));
}

function takeOver(draft: Draft, tick: Tick, facts: HeadRevisionFacts): Draft {
  const { headRevision } = facts;
  const { ledger } = draft;
  if (hasFailed(ledger, headRevision) || ledger.stable?.headRevision === headRevision) {
    return sayFailed(draft, tick, {
      reason: 'NotBetter',
      message: 'The training gave heads that were tried already.',
    });
  }
  const staged = stageNew(draft, facts, tick);
  return say(staged, tick.nowMs, {
    reason: 'TrainingSucceeded',
    message: `New heads at ${facts.exits.join(', ')}; attempt ${count(staged.ledger.episode.attempts)} to certify begins.`,
    headRevision,
    details: { attempt: staged.ledger.episode.attempts, exits: facts.exits.length },
  });
}

function sayFailed(
  draft: Draft,
  tick: Tick,
  report: Pick<Extract<TrainingReport, { kind: 'Failed' }>, 'reason' | 'message'>,
): Draft {
  const { reason, message } = report;
  const rested = enter(draft, tick.nowMs, restStage(draft.ledger));
  return say(rested, tick.nowMs, {
    reason: reason === 'Failed' ? 'TrainingFailed' : reason,
    message,
  });
}
