import { describe, expect, test } from 'vitest';
import { createHash } from 'node:crypto';
import { encodeHeadBundle } from '../../../../crds/wire/head-bundle.ts';
import type { AdminAnswer, AdminCall } from '../../../../operator/fleet/admin-client.ts';
import type { TrainerState } from '../../../../operator/fleet/trainer-client.ts';
import type { TrainerProcess } from '../../../../operator/local/processes/trainer-process.ts';
import { createTrainingDesk } from '../../../../operator/local/training-desk.ts';
import type { HeadRevisionFacts, TrainingRequest } from '../../../../operator/lifecycle/types.ts';
import { aBundle } from '../../crds/documents.ts';

const request: TrainingRequest = { attempt: 1, trigger: 'Missing', part: 'long', after: [] };
const bytes = encodeHeadBundle(aBundle());
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const facts: HeadRevisionFacts = {
  headRevision: digest,
  exits: ['early'],
  knownAnswers: [],
  pathCost: [0.3, 1],
};

/** A trainer whose state and bundle a test sets. */
function fakeTrainer() {
  const calls: string[] = [];
  const world = {
    state: {} as Partial<TrainerState>,
    bundle: bytes,
    hasEnded: false,
    isSilent: false,
  };
  const answer = (call: AdminCall): AdminAnswer => {
    if (call.path === '/v1/bundle') return { status: 200, body: Buffer.from(world.bundle) };
    const state = {
      state: 'Training',
      progress: 0.5,
      message: 'half way',
      outcome: null,
      digest: null,
      sizeBytes: null,
      rows: null,
      durationSeconds: null,
      summary: null,
      ...world.state,
    };
    return { status: 200, body: Buffer.from(JSON.stringify(state)) };
  };
  const trainer: TrainerProcess = {
    child: {
      name: 'trainer',
      pid: 1,
      ended: Promise.resolve({ code: 0, signal: null }),
      get hasEnded() {
        return world.hasEnded;
      },
      tail: () => 'its last words',
      waitFor: () => Promise.resolve(null),
      stop: () => {
        calls.push('stop');
        return Promise.resolve({ code: 0, signal: null });
      },
      kill: () => undefined,
    },
    admin: {
      baseUrl: 'http://trainer',
      call: (call) => {
        calls.push(`${call.method} ${call.path}`);
        if (world.isSilent)
          return Promise.resolve({ ok: false, code: 'NoAnswer', message: 'silent' });
        return Promise.resolve({ ok: true, value: answer(call) });
      },
      close: () => undefined,
    },
  };
  return { trainer, world, calls };
}

function aDesk(fake = fakeTrainer()) {
  const started: TrainingRequest[] = [];
  const desk = createTrainingDesk({
    start: (wanted) => {
      started.push(wanted);
      return Promise.resolve({ ok: true, value: fake.trainer });
    },
    accept: () => facts,
  });
  return { ...fake, desk, started };
}

describe('the training desk', () => {
  test('starts one trainer per attempt, however often the request is repeated', async () => {
    const { desk, started } = aDesk();
    await desk.begin(request);
    await desk.begin(request);
    await desk.begin({ ...request, attempt: 2 });
    expect(started.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('reports progress, then the revision, tells the trainer, and ends it', async () => {
    const { desk, world, calls } = aDesk();
    await desk.begin(request);
    await desk.poll();
    expect(desk.report()).toEqual({ kind: 'Running', progress: 0.5 });
    world.state = { state: 'Done', outcome: 'Trained', digest, message: 'trained' };
    await desk.poll();
    expect(desk.report()).toEqual({ kind: 'Trained', attempt: 1, revision: facts });
    expect(calls.slice(-3)).toEqual(['GET /v1/bundle', 'POST /v1/done', 'stop']);
    await desk.poll();
    expect(desk.report().kind).toBe('Trained');
  });

  test.each([
    [{ state: 'Done', outcome: 'NotBetter', message: 'saves 1 %' }, 'NotBetter', 'saves 1 %'],
    [{ state: 'Done', outcome: 'TooFewRows', message: 'few' }, 'TooFewRows', 'few'],
    [{ state: 'Done', outcome: null, message: 'odd' }, 'Failed', 'odd'],
    [{ state: 'Failed', message: 'broke' }, 'Failed', 'broke'],
  ] as const)('takes %j as %s', async (state, reason, message) => {
    const { desk, world } = aDesk();
    await desk.begin(request);
    world.state = state;
    await desk.poll();
    expect(desk.report()).toEqual({ kind: 'Failed', attempt: 1, reason, message });
  });

  test('never takes a bundle that is not what the trainer announced', async () => {
    const { desk, world } = aDesk();
    await desk.begin(request);
    world.state = { state: 'Done', outcome: 'Trained', digest, message: '' };
    world.bundle = bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte));
    await desk.poll();
    expect(desk.report()).toMatchObject({ kind: 'Failed', reason: 'Failed' });
  });

  test('waits for a trainer that is busy, and gives up one that ended', async () => {
    const { desk, world } = aDesk();
    await desk.begin(request);
    world.isSilent = true;
    await desk.poll();
    expect(desk.report()).toEqual({ kind: 'Running', progress: 0 });
    world.hasEnded = true;
    await desk.poll();
    expect(desk.report()).toMatchObject({ message: 'the trainer ended early: its last words' });
  });

  test('reports a trainer that does not start', async () => {
    const desk = createTrainingDesk({
      start: () => Promise.resolve({ ok: false, code: 'TrainingFailed', message: 'no' }),
      accept: () => facts,
    });
    await desk.poll();
    expect(desk.report()).toEqual({ kind: 'Idle' });
    await desk.begin(request);
    await desk.stop();
    expect(desk.report()).toEqual({ kind: 'Failed', attempt: 1, reason: 'Failed', message: 'no' });
  });
});
