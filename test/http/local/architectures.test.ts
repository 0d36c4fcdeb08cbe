// Architectures of other kinds go the whole way over real processes: cut, served, sampled, trained on, shadowed, certified,
// left early. `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  checkEvidenceLaws,
  type EvidenceGrid,
  type EvidenceWindow,
} from '../../../crds/wire/evidence.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import type { VerifiedBundle } from '../../../operator/fleet/pull-bundle.ts';
import { pullState } from '../../../operator/fleet/pull-state.ts';
import { pushHeads } from '../../../operator/fleet/push-heads.ts';
import type { InferAnswer } from '../../../operator/local/replay/infer-codec.ts';
import { certificateHolds } from '../../../server/core/certificate.ts';
import { mergeGrids } from '../../../server/core/evidence.ts';
import { eventually } from '../../support/eventually.ts';
import {
  attentionNet,
  concatenatingNet,
  separableNet,
  uncuttableNet,
} from '../../support/onnx-models/networks.ts';
import {
  BUDGET,
  CONFIDENCE,
  collecting,
  serveModel,
  train,
  valueOf,
  type ServedModel,
} from './architecture-run.ts';
import { npy, startCli } from './local-run.ts';

/** Training wants 200. */
const SAMPLED_ROWS = 220;
const AUDITED_ROWS = 120;
const EARLY_ROWS = 40;
const ROWS_PER_REQUEST = 10;

// Seeds whose random weights give the rows three classes or more; most give one or two.
const ARCHITECTURES = [
  {
    name: 'depthwise-separable (224 x 224)',
    model: separableNet(3),
    cuts: ['stem', 'depth0', 'point0', 'depth1', 'point1', 'depth2', 'point2'],
  },
  { name: 'concatenating', model: concatenatingNet(24), cuts: ['stem', 'dense0', 'dense1'] },
  {
    name: 'attention',
    model: attentionNet(18),
    cuts: ['patches', 'attended0', 'mixed0', 'attended1'],
  },
];

describe.each(ARCHITECTURES)('the $name architecture', ({ model, cuts }) => {
  let served: ServedModel;
  let heads: VerifiedBundle;
  let evidence: EvidenceGrid;

  beforeAll(async () => {
    served = await serveModel(model, 22);
  });
  afterAll(() => served.stop());

  const exitNames = (): string[] => heads.bundle.heads.map(({ exit }) => exit);

  async function send(from: number, count: number): Promise<InferAnswer[]> {
    const answers: InferAnswer[] = [];
    for (let at = from; at < from + count; at += ROWS_PER_REQUEST)
      answers.push(await served.ask(at, ROWS_PER_REQUEST));
    return answers;
  }

  /** Windows of the heads since the last call, pulled until they hold what they should: a batch is booked after its answers. */
  async function windowsUntil(
    check: (windows: readonly EvidenceWindow[]) => void,
  ): Promise<EvidenceWindow[]> {
    const windows: EvidenceWindow[] = [];
    await eventually(async () => {
      const pulled = await served.evidence();
      windows.push(...pulled.filter(({ headRevision }) => headRevision === heads.headRevision));
      check(windows);
    });
    return windows;
  }

  test('is cut, served by the backbone alone, and sampled in several classes', async () => {
    expect(served.state.cuts.map(({ tensor }) => tensor)).toEqual(cuts);
    expect(await served.apply(collecting(served))).toMatchObject({ result: 'Applied' });
    const answers = await send(0, SAMPLED_ROWS);
    expect(new Set(answers.map(({ exit }) => exit))).toEqual(new Set(['backbone']));
    expect(new Set(answers.flatMap(({ classIds }) => classIds)).size).toBeGreaterThanOrEqual(3);
    await eventually(async () => {
      const { samples } = valueOf(await pullState(served.server.admin));
      expect(samples).toMatchObject({ long: SAMPLED_ROWS, seen: SAMPLED_ROWS });
    });
  });

  test('is trained on: the server answers known rows as the bundle says', async () => {
    heads = await train(served);
    const { headRevision, bytes, bundle } = heads;
    expect(bundle.training.trainingRows + bundle.training.validationRows).toBe(SAMPLED_ROWS);
    valueOf(await pushHeads(served.server.admin, headRevision, bytes));
    const acknowledgement = await served.apply({
      ...collecting(served),
      revision: 2,
      candidate: {
        headRevision,
        lambdaIndex: null,
        certificate: null,
        activeExits: exitNames(),
        share: 0,
        stage: 'Shadowing',
      },
    });
    expect(acknowledgement).toMatchObject({
      result: 'Applied',
      reason: '',
      headRevisions: [headRevision],
      knownAnswers: [
        { headRevision, classes: bundle.heads.map(({ knownAnswers }) => knownAnswers.classes) },
      ],
    });
  });

  test('gives lawful evidence of heads in the shadow that learned something', async () => {
    const answers = await send(SAMPLED_ROWS, AUDITED_ROWS);
    expect(new Set(answers.map(({ exit }) => exit))).toEqual(new Set(['backbone']));
    const windows = await windowsUntil((all) => {
      expect(all.map(({ grid }) => grid).reduce(mergeGrids).n).toBe(AUDITED_ROWS);
    });
    expect(windows.map(checkEvidenceLaws)).toEqual(windows.map(() => null));
    expect(windows.map(({ exits }) => exits)).toEqual(windows.map(exitNames));
    evidence = windows.map(({ grid }) => grid).reduce(mergeGrids);
    // At the loosest lambda nearly all rows leave; guessing the commonest class would be wrong for more than half of them.
    expect(evidence.dis[119]).toBeLessThan(0.3 * AUDITED_ROWS);
  });

  test('lets rows leave early once its own counts certify a lambda', async () => {
    const certificateAt = (lambdaIndex: number) => ({
      audits: evidence.n,
      disagreements: evidence.dis[lambdaIndex]!,
      dispersion: 1,
      attempt: 1,
      look: 3,
      backboneDigest: served.state.backbone.digest,
    });
    const lambdaIndex = evidence.dis.findLastIndex((_, index) =>
      certificateHolds(certificateAt(index), BUDGET, CONFIDENCE),
    );
    const { headRevision } = heads;
    const policy: Policy = {
      ...collecting(served),
      revision: 3,
      exitsEnabled: true,
      stable: {
        headRevision,
        lambdaIndex,
        certificate: certificateAt(lambdaIndex),
        activeExits: exitNames(),
      },
      auditRate: 0,
    };
    expect(await served.apply(policy)).toMatchObject({ result: 'Applied', reason: '' });
    const early: { readonly exit: string; readonly agrees: boolean }[] = [];
    for (let row = 1_000; row < 1_000 + EARLY_ROWS; row++) {
      const { exit, policy, headRevision, classIds } = await served.ask(row, 1);
      expect([policy, headRevision]).toEqual(['1.3', heads.headRevision]);
      if (exit === 'backbone') continue;
      const backbone = await served.ask(row, 1, 'backbone');
      early.push({ exit, agrees: backbone.classIds[0] === classIds[0] });
    }
    expect(early.length).toBeGreaterThan(EARLY_ROWS / 4);
    expect(early.filter(({ agrees }) => !agrees).length).toBeLessThan(BUDGET * EARLY_ROWS);
    const answered = [
      ...exitNames().map((name) => early.filter(({ exit }) => exit === name).length),
      EARLY_ROWS - early.length,
    ];
    await windowsUntil((all) => {
      const stable = all.filter(({ track }) => track === 'stable').map((window) => window.served);
      expect(answered.map((_, exit) => sum(stable.map(({ rows }) => rows[exit]!)))).toEqual(
        answered,
      );
    });
  });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe('an architecture that cannot be cut', () => {
  const REASON =
    /not all of what goes on: input \(last read by the Concat that makes \w+\) is needed after it as well/;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'layercache-uncut-'));
    writeFileSync(join(folder, 'model.onnx'), uncuttableNet().bytes);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('is served all the same, and its state says why', async () => {
    const served = await serveModel(uncuttableNet(), 22);
    try {
      expect(served.state.cuts).toEqual([]);
      expect(served.state.rejectedCuts).toContainEqual({
        tensor: 'deep',
        reason: expect.stringMatching(REASON) as string,
      });
      expect((await served.ask(0, 3)).classIds).toHaveLength(3);
    } finally {
      await served.stop();
    }
  });

  test('inspected, says why', async () => {
    const inspection = startCli(['inspect', 'model.onnx'], folder);
    expect((await inspection.ended).code, inspection.stderr()).toBe(0);
    expect(inspection.stdout()).toContain('The model has no tensor where it can be cut (');
    expect(inspection.stdout()).toContain('A companion, a small model of the same classes');
    expect(inspection.stdout()).toMatch(new RegExp(`^  deep: ${REASON.source}$`, 'm'));
  });

  test('named in a manifest, says why', async () => {
    writeFileSync(join(folder, 'rows.npy'), npy([2_500, 8, 8, 3], new Uint8Array(2_500 * 192)));
    writeFileSync(
      join(folder, 'service.yaml'),
      `apiVersion: layercache.io/v1alpha1
kind: CachedModelService
metadata: {name: uncut}
spec:
  backbone: {uri: "file:model.onnx"}
  accuracy: {maxDisagreement: 5%}
  exits: [{name: early, tensor: deep}]
`,
    );
    const words = ['local', 'run', '-f', 'service.yaml', '--traffic', 'npy:rows.npy'];
    const run = startCli([...words, '--report', join(folder, 'out')], folder);
    expect((await run.ended).code).toBe(2);
    expect(run.stderr()).toContain(
      'An exit names a tensor that is no cut of the backbone (service.yaml): exit early names deep (not all',
    );
    expect(run.stderr()).toMatch(REASON);
    expect(run.stderr()).toContain(
      '. Use a name that `layercache inspect MODEL` lists. [TensorNotFound]\n',
    );
  });
});
