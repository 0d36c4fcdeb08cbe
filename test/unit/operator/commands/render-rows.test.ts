import { describe, expect, test } from 'vitest';
import { evidenceGrids } from '../../../../operator/commands/evidence/evidence-grid.ts';
import { renderEvidence } from '../../../../operator/commands/evidence/render-evidence.ts';
import {
  isReasonName,
  reasonNamed,
  renderReason,
} from '../../../../operator/commands/explain/render-reason.ts';
import { renderRevisions } from '../../../../operator/commands/heads/list-heads.ts';
import { renderRollout } from '../../../../operator/commands/rollout/rollout-status.ts';
import { toRevisionView } from '../../../../operator/commands/service/read-revisions.ts';
import { readServiceView } from '../../../../operator/commands/service/read-service-view.ts';
import { renderTop, toTopRow } from '../../../../operator/commands/top/top-rows.ts';
import { renderOutput } from '../../../../operator/commands/output/output-format.ts';
import { REASONS } from '../../../../crds/v1alpha1/reasons.ts';
import {
  aCandidate,
  aLedger,
  aServingLedger,
  anAttempt,
  blocksOf,
} from '../../../support/ledger-builders.ts';
import {
  ABORTED,
  aCondition,
  ago,
  aServiceObject,
  COLLECTING,
  DIGEST,
  NOW_MS,
  RAMPING,
  SERVING,
} from '../../../support/service-objects.ts';

const golden = (name: string): string => `../../../golden/commands/${name}.txt`;
const textOf = (lines: readonly string[]): string => `${lines.join('\n')}\n`;
const viewOf = (status: Record<string, unknown> | undefined) =>
  readServiceView(aServiceObject({ ...(status && { status }) }));

describe('evidence', () => {
  const candidate = aCandidate({
    evidence: anAttempt({ blocks: blocksOf(300, 6), answeredRows: 300 }),
  });
  const grids = evidenceGrids(aServingLedger({ stage: 'Shadowing', candidate }));
  const rest = {
    missing: [{ what: '700 more audited rows', rows: 700, seconds: 58, note: null }],
    unseen: [],
  };

  test('of both tracks in a few lambdas', async () => {
    await expect(textOf(renderEvidence(grids, rest, false))).toMatchFileSnapshot(
      golden('evidence'),
    );
  });

  test('whose budget bounds losses shows rows with a tenth', () => {
    const blocks = blocksOf(300, 6);
    const closed = { ...blocks.closed, dis: blocks.closed.dis.map(() => 17) };
    const evidence = anAttempt({
      agreement: 'F1',
      blocks: { ...blocks, closed },
      answeredRows: 300,
    });
    const [grid] = evidenceGrids(aLedger({ candidate: aCandidate({ evidence }) }));
    const text = textOf(renderEvidence([grid!], rest, false));
    expect(text).toContain('F1 LOSS');
    expect(text).toMatch(/ 1\.7 +0\.567%/);
    expect(text).not.toContain('DISAGREE');
  });

  test('shows the whole grid when it may be wide', () => {
    expect(renderEvidence(grids, rest, true).length).toBeGreaterThan(240);
  });

  test('that is not there yet says so', () => {
    const lines = renderEvidence(
      [],
      { missing: [], unseen: ['Evidence: nobody may read it.'] },
      false,
    );
    expect(lines).toEqual([
      'No evidence is stored: no heads are being tested yet.',
      '',
      'Evidence: nobody may read it.',
    ]);
  });
});

describe('the table of services', () => {
  const rows = [
    toTopRow(viewOf(COLLECTING), null),
    { ...toTopRow(viewOf(SERVING), 120.44), name: 'busy', namespace: 'a' },
    toTopRow(viewOf(RAMPING), 3),
    toTopRow(viewOf(undefined), 0),
  ];

  test('has the busiest first', async () => {
    await expect(textOf(renderTop(rows, false, true))).toMatchFileSnapshot(golden('top'));
    await expect(textOf(renderTop(rows, true, true))).toMatchFileSnapshot(golden('top-wide'));
  });

  test('names F1 where a budget bounds it', () => {
    const f1 = viewOf(SERVING);
    const of = { ...f1, settings: { ...f1.settings!, agreement: 'F1' as const } };
    const detectors = textOf(renderTop([toTopRow(of, 1)], true, false));
    expect(detectors).toMatch(/ F1 LOSS +ENGINE/);
    expect(detectors).toMatch(/% F1 loss /);
    expect(detectors).not.toContain('DISAGREE');
    const mixed = textOf(renderTop([toTopRow(of, 1), toTopRow(f1, 2)], true, false));
    expect(mixed).toContain('DISAGREE / F1 LOSS');
  });

  test('says that there is none', () => {
    expect(renderTop([], false, false)).toEqual(['There are no CachedModelServices here.']);
  });
});

describe('the rollout', () => {
  test.each([
    ['ramping', RAMPING],
    ['aborted', ABORTED],
    ['serving', SERVING],
    ['collecting', COLLECTING],
  ])('of a service that is %s', async (name, status) => {
    const text = textOf(renderRollout(viewOf(status), NOW_MS).table(false));
    await expect(text).toMatchFileSnapshot(golden(`rollout-${name}`));
  });
});

describe('head revisions', () => {
  const revision = (name: string, status: Record<string, unknown>) =>
    toRevisionView({
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CacheHeadRevision',
      metadata: { name, namespace: 'ml', creationTimestamp: ago(90_000) },
      spec: {
        serviceName: 'vision',
        backboneDigest: DIGEST,
        bundle: { digest: DIGEST, sizeBytes: 151_552, configMapName: name },
        exits: [{ name: 'early' }, { name: 'late' }],
      },
      status,
    });
  const revisions = [
    revision('vision-bbbbbbbbbbbb', {
      conditions: [
        aCondition('Available', 'True', 'Verified', 'It is what it says.'),
        aCondition('Certified', 'Unknown', 'Collecting', 'Rows are missing.'),
      ],
    }),
    revision('vision-cccccccccccc', {
      conditions: [
        aCondition('Available', 'True', 'Verified', 'It is what it says.'),
        aCondition('Certified', 'False', 'Voided', 'Alarm.'),
        aCondition('Failed', 'True', 'Aborted', 'A check failed.'),
      ],
      certificate: {
        ...{
          lambda: '1.3%',
          lambdaIndex: 68,
          audits: 3012,
          disagreements: 12,
          upperBound: '0.71%',
        },
        ...{ budget: '1%', confidence: '95%', time: ago(80_000) },
      },
    }),
  ];

  test('are listed with what is said of each', async () => {
    await expect(textOf(renderRevisions(revisions, NOW_MS, false))).toMatchFileSnapshot(
      golden('heads-list'),
    );
    await expect(textOf(renderRevisions(revisions, NOW_MS, true))).toMatchFileSnapshot(
      golden('heads-list-wide'),
    );
    expect(renderRevisions([], NOW_MS, false)).toEqual(['There are no head revisions here.']);
  });
});

describe('a reason', () => {
  test('has a page without links, whatever the letter case it was typed in', async () => {
    expect(reasonNamed('headtoolarge')).toBe('HeadTooLarge');
    expect([isReasonName('HeadTooLarge'), isReasonName('head-too-large')]).toEqual([true, false]);
    expect(() => reasonNamed('HeadTooLarg')).toThrow(/Did you mean reason HeadTooLarge\?/);
    expect(() => reasonNamed('HeadTooSmall')).toThrow(/\[ReasonNotFound\]|no reason has that name/);
    const pages = ['HeadTooLarge', 'RolloutAborted'].map((name) =>
      renderReason(reasonNamed(name)).table(false),
    );
    await expect(textOf(pages.flat())).toMatchFileSnapshot(golden('explain-reason'));
    for (const name of Object.keys(REASONS))
      expect(renderReason(reasonNamed(name)).table(false).join(' ')).not.toContain('](');
  });

  test('prints as data under every format', async () => {
    const rendered = renderReason('Alarm');
    const json = JSON.parse(await renderOutput('json', rendered)) as Record<string, unknown>;
    expect(json).toMatchObject({ schemaVersion: 1, kind: 'Reason', reason: 'Alarm' });
    expect(await renderOutput('yaml', rendered)).toContain('schemaVersion: 1\n');
    expect(await renderOutput('name', rendered)).toBe('reason/Alarm\n');
    expect(await renderOutput('wide', rendered)).toBe(await renderOutput('table', rendered));
  });
});
