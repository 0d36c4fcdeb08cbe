import { expect, test } from 'vitest';
import type { CommandResult } from '../harness/run-command.ts';
import { createKubectlText } from './kubectl-text.ts';

/** Answers of kubectl by the kind that is asked for. */
function answering(
  texts: Readonly<Record<string, string>>,
): Parameters<typeof createKubectlText>[0] {
  return {
    kubectl: (args): Promise<CommandResult> => {
      const key =
        args.includes('jsonpath') || args.some((arg) => arg.startsWith('jsonpath'))
          ? 'conditions'
          : args[1]!;
      return Promise.resolve({ code: 0, stdout: texts[key] ?? '', stderr: '' } as CommandResult);
    },
  };
}

const EVENTS_TITLE =
  'NAME   MADE                   AT                            VERSION   TYPE      REASON            MESSAGE';

const TEXTS = {
  cms: [
    'NAME     READY   REASON    PODS   EXITS     HEADS          EXITED   BOUND   AGE',
    'vision   True    Serving   2      Serving   4def6616f2f5            0.93%   13m',
  ].join('\n'),
  chr: [
    'NAME                  SERVICE   AVAILABLE   CERTIFIED   BOUND   AGE',
    'vision-4def6616f2f5   vision    True        True        0.93%   5m12s',
    'vision-poisoned       vision    True        False               8s',
  ].join('\n'),
  jobs: 'No resources found in loop namespace.',
  conditions: [
    'Ready=True Serving: The endpoint answers for this generation.',
    'WithinBudget=True Certified: 68 disagreements in 8740 audited requests: at most 1% at 95% confidence.',
    'ExitsActive=True Serving: Exits stem, block2 may answer at lambda 0.04712.',
    'PolicyApplied=True AllReplicas: 2 of 2 pods acknowledged policy 1.6.',
  ].join('\n'),
  events: [
    EVENTS_TITLE,
    'b      2026-11-26T03:03:01Z   2026-11-26T03:03:01.510000Z   9         Warning   Alarm             Audited disagreement is above the budget of 1% at lambda 4.712%: exits are off.',
    'a      2026-11-26T03:03:01Z   2026-11-26T03:03:01.510000Z   10        Warning   ExitsDisabled     Exits answer nothing.',
    'c      2026-11-26T03:02:01Z   2026-11-26T03:02:01.510000Z   4         Normal    TrainingStarted   Training 1 starts on 10,906 recorded rows (Missing).',
    "e      2026-11-26T03:02:01Z   2026-11-26T03:02:01.530000Z   6         Normal    Certified         Look 2 of stable's attempt 1 on 6,000 audited rows: lambda 5% is within 1% at 95%, with 9 disagreements.",
    'd      2026-11-26T03:02:01Z   2026-11-26T03:02:01.520000Z   5         Normal    PolicyPublished   Policy 1.6 is published.',
  ].join('\n'),
};

test('names, figures and times go from the text of a stage; words, settings and counts of pods stay', async () => {
  const text = createKubectlText(answering(TEXTS), 'loop', 'vision');
  const stage = await text.stage();
  expect(stage.split('\n')).toEqual([
    '$ kubectl get cms',
    'NAME     READY   REASON    PODS   EXITS     HEADS    EXITED   BOUND   AGE',
    'vision   True    Serving   2      Serving   heads1   ~        ~       ~',
    '',
    '$ kubectl get chr',
    'NAME              SERVICE   AVAILABLE   CERTIFIED   BOUND   AGE',
    'vision-heads1     vision    True        True        ~       ~',
    'vision-poisoned   vision    True        False               ~',
    '',
    '$ kubectl get jobs',
    'No resources found in loop namespace.',
    '',
    '$ kubectl get cms vision -o jsonpath=... (conditions)',
    'Ready=True Serving: The endpoint answers for this generation.',
    'WithinBudget=True Certified: N disagreements in N audited requests: at most 1% at 95% confidence.',
    'ExitsActive=True Serving: Exits EXITS may answer at lambda N.',
    'PolicyApplied=True AllReplicas: 2 of 2 pods acknowledged policy N.N.',
    '',
    '$ kubectl get events',
    'Normal TrainingStarted Training 1 starts on N recorded rows (Missing).',
    'Warning Alarm Audited disagreement is above the budget of 1% at lambda N%: exits are off.',
    'Warning ExitsDisabled Exits answer nothing.',
    '',
  ]);
});

test('an event is printed in the first stage that saw it, and a revision keeps its number', async () => {
  const text = createKubectlText(answering(TEXTS), 'loop', 'vision');
  await text.stage();
  const again = await text.stage();
  expect(again).toContain('vision-heads1');
  expect(again.endsWith('$ kubectl get events\n\n')).toBe(true);
});
