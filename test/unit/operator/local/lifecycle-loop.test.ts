import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../crds/wire/policy.ts';
import { createLifecycleLoop, type LoopDeps } from '../../../../operator/local/lifecycle-loop.ts';
import type { Demand } from '../../../../operator/local/replay/replay.ts';
import { emptyLedger } from '../../../../operator/lifecycle/ledger.ts';
import type { LifecycleStage, TrainingRequest } from '../../../../operator/lifecycle/types.ts';
import { eventually } from '../../../support/eventually.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { aBackbone, aService } from '../../../support/builders.ts';
import { aPolicy } from '../../crds/documents.ts';

interface Step {
  readonly stage: LifecycleStage;
  readonly training?: TrainingRequest;
  readonly exitsEnabled?: boolean;
}

const training: TrainingRequest = { attempt: 1, trigger: 'Missing', part: 'long', after: [] };

/** A loop whose decisions are written down beforehand; `log` is everything it did, in order. */
function scripted(script: readonly Step[], isTrainingSpent = false) {
  const log: string[] = [];
  const steps = [...script];
  let sentRows = 0;
  let step = steps[0] ?? { stage: 'Idle' as const };
  const deps: LoopDeps = {
    lifecycle: {
      decide: (ledger) => {
        step = steps.shift() ?? step;
        const policy = aPolicy({ exitsEnabled: step.exitsEnabled ?? false });
        log.push(`decide ${step.stage}`);
        return { ledger, policy, training: step.training ?? null, decisions: [], nextDelayMs: 1 };
      },
      progress: () => ({
        stage: step.stage,
        rows: 0,
        wantedRows: null,
        lambdaIndex: null,
        message: '',
      }),
      estimateMore: () => ({ requests: 5, seconds: null, isLikely: false, message: 'five more' }),
      watermarks: () => [{ podUid: 'pod-1', bootId: 'boot-1', seq: 7 }],
    },
    clock: fakeClock(),
    feed: {
      pull: () => Promise.resolve(void log.push('pull')),
      refreshStates: () => Promise.resolve(),
      reports: () => [],
      dropConsumed: (after) => void log.push(`drop ${JSON.stringify([...after])}`),
      states: [],
    },
    press: {
      number: (content) => ({ policy: { ...content, epoch: 1, revision: 1 }, isNew: true }),
      push: () => {
        log.push('push');
        return Promise.resolve(true);
      },
    },
    desk: {
      begin: ({ attempt }) => Promise.resolve(void log.push(`train ${attempt}`)),
      poll: () => Promise.resolve(),
      report: () => ({ kind: 'Idle' }),
      stop: () => Promise.resolve(),
    },
    replay: {
      run: () => Promise.resolve(),
      setDemand: (demand: Demand) => void log.push(`demand ${demand}`),
      idle: () => Promise.resolve(void log.push('idle')),
      stop: () => undefined,
      isTrainingSpent,
      // Traffic goes on: every look at it finds another block.
      get sentRows() {
        return (sentRows += 50);
      },
      latencies: { backboneMs: [], layercacheMs: [] },
    },
    settings: aService(),
    backbone: aBackbone(),
    collectRows: () => 10_000,
    isRepeating: () => false,
    blockRows: 50,
    revisions: () => [],
    store: () => void log.push('store'),
    onDecision: () => undefined,
    onPolicy: (policy: Policy) => void log.push(`policy ${policy.epoch}.${policy.revision}`),
    onInForce: () => void log.push('in force'),
    onProgress: () => undefined,
  };
  return { loop: createLifecycleLoop(deps, emptyLedger()), log };
}

/** Runs until the script has been played and the last step was applied. */
async function play(script: readonly Step[], isTrainingSpent = false): Promise<string[]> {
  const { loop, log } = scripted(script, isTrainingSpent);
  const running = loop.run();
  await eventually(() => {
    expect(log.filter((line) => line.startsWith('decide')).length).toBeGreaterThanOrEqual(
      script.length + 1,
    );
  });
  loop.stop();
  await running;
  return log;
}

describe('one tick', () => {
  test('pulls, decides, stores the ledger before anything is acted on, publishes, and asks for traffic last', async () => {
    const log = await play([{ stage: 'Collecting' }]);
    expect(log.slice(0, 8)).toEqual([
      'pull',
      'decide Collecting',
      'store',
      'drop [["pod-1 boot-1",7]]',
      'policy 1.1',
      'push',
      'in force',
      'demand Training',
    ]);
  });

  test('of a training drains the traffic before heads can be loaded, then starts the trainer', async () => {
    const log = await play([{ stage: 'Training', training }]);
    expect(log.slice(4, 11)).toEqual([
      'demand Hold',
      'idle',
      'policy 1.1',
      'push',
      'in force',
      'demand Hold',
      'train 1',
    ]);
  });
});

describe('traffic', () => {
  const demandsOf = async (script: readonly Step[], isTrainingSpent = false): Promise<string[]> => {
    const log = await play(script, isTrainingSpent);
    return log.filter((line) => line.startsWith('demand')).slice(-1);
  };

  test.each([
    ['Collecting', false, 'demand Training'],
    ['Staging', false, 'demand Hold'],
    ['Shadowing', false, 'demand Serving'],
    ['Ramping', true, 'demand Serving'],
    ['Serving', true, 'demand ServingWithSlices'],
    ['Serving', false, 'demand Serving'],
    ['Recertifying', false, 'demand Serving'],
    ['Idle', false, 'demand Serving'],
  ] as const)('while %s with exits on = %s is: %s', async (stage, exitsEnabled, expected) => {
    expect(await demandsOf([{ stage, exitsEnabled }])).toEqual([expected]);
  });

  test('of a second collecting comes from the rows that follow once the first are spent', async () => {
    const script = [{ stage: 'Training' }, { stage: 'Collecting' }] as const;
    expect(await demandsOf(script, true)).toEqual(['demand Serving']);
    expect(await demandsOf(script, false)).toEqual(['demand Training']);
  });
});

test('the end of a run reads the last windows and decides once more, without starting anything', async () => {
  const { loop, log } = scripted([{ stage: 'Serving', training }]);
  expect(loop.missing()).toBeNull();
  await loop.finish();
  expect(loop.missing()?.requests).toBe(5);
  expect(log).toEqual(['pull', 'decide Serving', 'store', 'drop [["pod-1 boot-1",7]]']);
  expect(loop.stage).toBe('Serving');
});
