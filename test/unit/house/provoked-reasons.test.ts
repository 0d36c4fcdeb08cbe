import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REASONS, type Reason } from '../../../crds/v1alpha1/reasons.ts';

// A reason that no test provokes may be one that nothing gives. What counts is its name in a test that runs the real thing: an
// API server, faults on a simulated one, or server processes.

const OF_ROLLOUTS = 'said of heads, their evidence and rollouts: provoked with the lifecycle';
const OF_TRAININGS = 'said of trainings: provoked with the trainer Job';
const OF_SERVERS =
  'the operator names no companion in a policy: the server says CompanionLoadFailed before';

/** Each with why no test of that kind provokes it yet. A reason that gets one has to leave the list. */
const NOT_YET: Readonly<Partial<Record<Reason, string>>> = {
  CompanionUnsupported: OF_SERVERS,
  Ramping: OF_ROLLOUTS,
  Training: OF_TRAININGS,
  TrainingFailed: OF_TRAININGS,
  RolloutAborted: OF_ROLLOUTS,
  NotCertified: OF_ROLLOUTS,
  NotWorthwhile: OF_ROLLOUTS,
  Alarm: OF_ROLLOUTS,
  DriftHint: OF_ROLLOUTS,
  BudgetExceeded: OF_ROLLOUTS,
  InsufficientSamples: OF_ROLLOUTS,
  EvidenceVoid: OF_ROLLOUTS,
  Recertifying: OF_ROLLOUTS,
  LambdaTightened: OF_ROLLOUTS,
  Promoted: OF_ROLLOUTS,
  Staging: OF_ROLLOUTS,
  Paused: OF_ROLLOUTS,
  Inconclusive: OF_ROLLOUTS,
  NotBetter: OF_ROLLOUTS,
  Aborted: OF_ROLLOUTS,
  AbortedByUser: OF_ROLLOUTS,
  LoadFailed: OF_ROLLOUTS,
  CrashedPods: OF_ROLLOUTS,
  Superseded: OF_ROLLOUTS,
  ExitsDisabled: OF_ROLLOUTS,
  Completed: OF_TRAININGS,
  Cooldown: OF_TRAININGS,
  WaitingForSamples: OF_TRAININGS,
  RevisionPinned: OF_TRAININGS,
  Failed: OF_TRAININGS,
  TooFewRows: OF_TRAININGS,
  DeadlineExceeded: OF_TRAININGS,
  RequestHandled: OF_ROLLOUTS,
};

const texts = ['cluster', 'faults', 'http/server'].flatMap((folder) =>
  readdirSync(`test/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => readFileSync(`test/${folder}/${path}`, 'utf8')),
);

function isProvoked(reason: string): boolean {
  const named = new RegExp(`['"\`+]${reason}\\b`);
  return texts.some((text) => named.test(text));
}

test('every reason is provoked by a test, or stands here with why it is not', () => {
  const unknown = Object.keys(REASONS).filter((name) => !isProvoked(name) && !(name in NOT_YET));
  expect(unknown).toEqual([]);
});

test('an exception that is provoked by now leaves the list, unless it waits for other tests', () => {
  const waiting: readonly string[] = [OF_ROLLOUTS, OF_TRAININGS];
  const late = Object.entries(NOT_YET).filter(
    ([reason, why]) => isProvoked(reason) && !waiting.includes(why),
  );
  expect(late).toEqual([]);
});
