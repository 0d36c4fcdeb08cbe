// What a remote store adds to the objects that the operator makes, as a real API server takes them.
import { beforeAll, describe, expect, test } from 'vitest';
import { planHeadRevision } from '../../../operator/plan/head-revision.ts';
import { pushStoreOf } from '../../../operator/plan/push-store.ts';
import { planTrainingJob } from '../../../operator/plan/training-job.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { aBundle, aHead, DIGEST_A } from '../../unit/crds/documents.ts';
import { aServiceToPlan, DEFAULTS } from '../../unit/operator/plan/builders.ts';
import { installDefinitions } from '../kube/definitions.ts';

const plane = await sharedControlPlane();

const SERVICE = aServiceToPlan({
  heads: {
    store: {
      s3: {
        ...{ uri: 's3://heads/vision', pullSecretName: 'read', pushSecretName: 'write' },
        caBundleConfigMapName: 'ca',
      },
    },
  },
});

describe.skipIf(plane.unavailable !== null)('with a remote store', () => {
  beforeAll(() => installDefinitions(plane));

  async function create(path: string, object: object, namespace: string): Promise<unknown> {
    const { metadata, ...rest } = object as { readonly metadata: object };
    const { name, labels } = metadata as { readonly name: string; readonly labels: object };
    const answer = await plane.request({
      method: 'POST',
      path: `${path.replace('NS', namespace)}?fieldValidation=Strict&dryRun=All`,
      body: { ...rest, metadata: { name, labels, namespace } },
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body;
  }

  test('a training Job mounts what it writes with, and ends at once when the store refuses', async () => {
    const { name } = await plane.namespace();
    const job = planTrainingJob({
      ...{ service: SERVICE, store: pushStoreOf(SERVICE, DEFAULTS.template, DEFAULTS) },
      ...{ allowedHosts: ['minio.ml:9000'], adminGeneration: 1, attempt: 1, job: {} },
      defaults: {
        ...{ image: 'registry.example.com/operator:1', imagePullPolicy: 'IfNotPresent' },
        ...{ imagePullSecretNames: [], resources: { limits: { memory: '1Gi' } } },
      },
    });
    const made = await create('/apis/batch/v1/namespaces/NS/jobs', job, name);
    expect(made).toMatchObject({
      spec: {
        podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { values: [3] } }] },
        template: { spec: { automountServiceAccountToken: false } },
      },
    });
  });

  test('a revision names the place of its bundle and no ConfigMap', async () => {
    const { name } = await plane.namespace();
    const uri = `s3://heads/vision/${'a'.repeat(64)}`;
    const revision = planHeadRevision({
      ...{ service: SERVICE, digest: DIGEST_A, sizeBytes: 2 ** 21, uri, training: {} },
      bundle: aBundle({ heads: [aHead()] }),
    });
    const path = '/apis/layercache.io/v1alpha1/namespaces/NS/cacheheadrevisions';
    const made = await create(path, revision, name);
    expect(made).toMatchObject({ spec: { bundle: { uri, sizeBytes: 2 ** 21 } } });
  });
});
