// What a service whose budget bounds F1 losses says of itself.
import { expect, test } from 'vitest';
import { holdContent } from '../../../../operator/controllers/cached-model-service/lifecycle/hold-content.ts';
import {
  accuracyOf,
  judgeBudget,
} from '../../../../operator/controllers/cached-model-service/lifecycle/status/judge-budget.ts';
import { writeRevisionStatus } from '../../../../operator/controllers/cached-model-service/lifecycle/status/write-revision-status.ts';
import type { ServicePass } from '../../../../operator/controllers/cached-model-service/service-pass.ts';
import type { KubeObject } from '../../../../operator/kube/api.ts';
import { aPolicy } from '../../crds/documents.ts';
import { aService } from '../../../support/builders.ts';
import { aServingLedger, aStable } from '../../../support/ledger-builders.ts';

const F1 = { agreement: 'F1' } as const;
const stable = aStable();
const { closed } = stable.evidence.blocks;

/** 1,000 rows that lost 1.4 rows in all at every lambda. */
const lossy = aServingLedger({
  stable: {
    ...stable,
    evidence: {
      ...stable.evidence,
      ...F1,
      blocks: {
        ...stable.evidence.blocks,
        closed: { ...closed, dis: closed.dis.map(() => 14) },
      },
    },
    certificate: { ...stable.certificate!, ...F1, disagreements: 14 },
  },
});

test('the budget is proven by a loss', () => {
  expect(judgeBudget(lossy)).toMatchObject({
    status: 'True',
    message: expect.stringContaining(
      'an F1 loss of 1.4 rows in 1000 audited requests: at most 1% at 95% confidence',
    ) as string,
  });
});

test('the accuracy is the mean loss and its bound, under the name of the agreement', () => {
  const at = { saving: null, time: '2027-01-15T08:00:00Z' };
  const shown = accuracyOf(lossy, at, undefined);
  expect(shown).toMatchObject({ disagreement: '0.14%', agreement: 'F1', audits: 1_000 });
  // exp(-1000 h(0.0014, 0.00654)) = 0.05.
  expect(shown?.upperBound).toBe('0.654%');
  expect(accuracyOf(lossy, { ...at, time: 'later' }, shown)).toBe(shown);
  // Equal figures of another measure are other figures.
  const strict = { ...shown!, agreement: 'Strict' as const };
  expect(accuracyOf(lossy, { ...at, time: 'later' }, strict)).toMatchObject(F1);
});

test('the certificate of a head revision says what it bounds', async () => {
  const { headRevision } = stable;
  const revision = {
    ...{ apiVersion: 'layercache.io/v1alpha1', kind: 'CacheHeadRevision' },
    metadata: { name: 'vision-x1', namespace: 'default' },
    spec: { bundle: { digest: headRevision } },
  } as unknown as KubeObject;
  const written: KubeObject[] = [];
  const pass = {
    shell: {
      caches: { headRevisions: { listIndexed: () => [revision] } },
      applier: { apply: (body: KubeObject) => Promise.resolve(written.push(body)) },
    },
    gathered: { key: 'default/vision', nowMs: 0 },
    attempt: { run: (_: unknown, action: () => Promise<unknown>) => action() },
  } as unknown as ServicePass;
  await writeRevisionStatus(pass, lossy);
  expect(written).toMatchObject([
    { status: { certificate: { agreement: 'F1', disagreements: 2, audits: 1_000 } } },
  ]);
});

test('while nothing can be decided F1 stays in force, and Strict is not proven by it', () => {
  const before = aPolicy({ ...F1, schemaVersion: 4 });
  const held = (agreement: 'F1' | 'Strict') => holdContent(before, aService({ agreement }));
  expect(held('F1')).toMatchObject({ ...F1, exitsEnabled: true });
  expect(held('Strict')).toMatchObject({ ...F1, exitsEnabled: false });
  const strict = holdContent(aPolicy(), aService(F1));
  expect(strict.exitsEnabled).toBe(true);
  expect(strict).not.toHaveProperty('agreement');
});
