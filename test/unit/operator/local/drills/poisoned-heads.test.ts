import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  encodeHeadBundle,
  type BundleHead,
  type BundleMatrix,
} from '../../../../../crds/wire/head-bundle.ts';
import { verifyBundle, type VerifiedBundle } from '../../../../../operator/fleet/pull-bundle.ts';
import { createPoisonDrill } from '../../../../../operator/local/drills/poison-drill.ts';
import { poisonBundle } from '../../../../../operator/local/drills/poisoned-heads.ts';
import type { Decision } from '../../../../../operator/lifecycle/types.ts';
import { runHead, toHeadWeights } from '../../../../../server/core/head.ts';
import { answerKnownRows, knownRows } from '../../../../../server/core/known-answer.ts';
import { argmax, scoreRow } from '../../../../../server/core/score.ts';
import { expectClose } from '../../../../support/expect-close.ts';
import { fakeClock } from '../../../../support/fake-clock.ts';
import {
  aCompanionHead,
  aHead as randomHead,
} from '../../../../support/onnx-models/random-head.ts';
import { aBundle } from '../../../crds/documents.ts';

const CLASSES = 5;

function verified(heads: readonly BundleHead[]): VerifiedBundle {
  const bytes = encodeHeadBundle(aBundle({ heads, classCount: CLASSES }));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const bundle = verifyBundle(bytes, digest);
  if (!bundle.ok) throw new Error(bundle.message);
  return bundle.value;
}

function random(hidden: 0 | 64): BundleHead {
  const wish = { tensor: `t${hidden}`, featureCount: 12, pool: 1, classCount: CLASSES } as const;
  return randomHead({ ...wish, hidden, seed: 3 + hidden });
}

/** The same head with its weights as whole numbers, each column with a scale of its own. */
function asInt8(head: BundleHead): BundleHead {
  const matrix: BundleMatrix = {
    type: 'int8',
    rows: head.featureCount,
    columns: CLASSES,
    values: Int8Array.from(
      { length: head.featureCount * CLASSES },
      (_, i) => ((i * 29) % 200) - 100,
    ),
    scales: Float32Array.from({ length: CLASSES }, (_, i) => 0.01 * (i + 1)),
  };
  const changed = { ...head, exit: 'int8', tensor: 'int8', w1: matrix };
  const weights = toHeadWeights(changed, CLASSES);
  return { ...changed, knownAnswers: answerKnownRows(weights, head.score, 9) };
}

describe('poisoned heads', () => {
  const original = verified([random(0), random(64), asInt8(random(0))]);
  const poisoned = poisonBundle(original);

  test('of a companion are sure of every row', () => {
    const companion = aCompanionHead(
      'small',
      { digest: `sha256:${'1'.repeat(64)}`, classCount: CLASSES },
      -3,
    );
    const [wrong] = poisonBundle(verified([companion])).bundle.heads;
    expect(wrong!.knownAnswers.scoreLogits.every((logit) => logit > 10)).toBe(true);
    expect(wrong!.knownAnswers.classes).toEqual(companion.knownAnswers.classes);
  });

  test('name the next class on every row, exactly as sure as before', () => {
    original.bundle.heads.forEach((head, i) => {
      const wrong = poisoned.bundle.heads[i]!;
      const features = knownRows(toHeadWeights(head, CLASSES), 77).features;
      const before = runHead(toHeadWeights(head, CLASSES), features, 16);
      const after = runHead(toHeadWeights(wrong, CLASSES), features, 16);
      for (let row = 0; row < 16; row++) {
        const at = row * CLASSES;
        expect(argmax(after, at, CLASSES)).toBe((argmax(before, at, CLASSES) + 1) % CLASSES);
        const [a, b] = [
          scoreRow(before, at, CLASSES, head.score),
          scoreRow(after, at, CLASSES, wrong.score),
        ];
        expectClose(b, a, { abs: 1e-6 });
      }
    });
  });

  test('are a bundle like any other: digest, shapes and known answers fit', () => {
    const again = verifyBundle(poisoned.bytes, poisoned.headRevision);
    expect(again.ok).toBe(true);
    expect(poisoned.headRevision).not.toBe(original.headRevision);
    for (const { score, knownAnswers, ...head } of poisoned.bundle.heads) {
      const weights = toHeadWeights({ score, knownAnswers, ...head }, CLASSES);
      expect(answerKnownRows(weights, score, knownAnswers.seed)).toEqual(knownAnswers);
    }
  });
});

describe('the drill', () => {
  function aDrill() {
    const notes: string[] = [];
    const clock = fakeClock();
    const drill = createPoisonDrill({
      clock,
      startedMs: clock.nowMs(),
      sent: () => 2_000,
      failed: () => 0,
      servers: [],
      onNote: (line) => notes.push(line),
      onFatal: () => undefined,
    });
    return { drill, notes };
  }
  const bundle = verified([random(0)]);
  const rejection: Decision = {
    nowMs: 0,
    reason: 'NotCertified',
    message: 'After 3,000 audited rows no lambda is proven within 5%.',
    headRevision: poisonBundle(bundle).headRevision,
    details: {},
  };

  test('poisons the first heads that a training gives and no others', () => {
    const { drill } = aDrill();
    expect(drill.offer(bundle).headRevision).toBe(rejection.headRevision);
    expect(drill.offer(bundle)).toBe(bundle);
  });

  test('says that they answered nothing and why they were rejected', () => {
    const { drill, notes } = aDrill();
    drill.offer(bundle);
    drill.onDecision?.({ ...rejection, headRevision: 'other' });
    drill.onDecision?.(rejection);
    expect(drill.report().message).toBe(
      'Heads with their classes shifted by one were offered and answered 0 requests; they were rejected (NotCertified): After 3,000 audited rows no lambda is proven within 5%.',
    );
    expect(notes).toHaveLength(2);
  });

  test('counts every request that they would answer', () => {
    const { drill } = aDrill();
    drill.offer(bundle);
    const answer = {
      exit: 'early',
      policy: '1.1',
      headRevision: rejection.headRevision!,
      classIds: [0],
    };
    drill.onAnswer?.(answer, 1);
    drill.onAnswer?.({ ...answer, exit: 'backbone' }, 1);
    drill.onAnswer?.({ ...answer, headRevision: 'other' }, 1);
    expect(drill.report().message).toContain('answered 1 requests; they were still being tested');
  });
});
