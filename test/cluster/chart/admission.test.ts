import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { CHART } from '../../unit/charts/helm.ts';
import { smokeService } from '../../../operator/smoke/smoke-service.ts';
import { definitionGone, DEFINITIONS, expectHelm } from './release.ts';

const unavailable = await whyUnavailable('control-plane');

describe.skipIf(unavailable !== null)('admission policies of the chart', () => {
  let plane: OwnControlPlane;
  let namespace: string;

  beforeAll(async () => {
    plane = await startControlPlane();
    namespace = (await plane.namespace()).name;
    await expectHelm(plane, {
      ...{ major: 4, namespace, args: ['install', 'demo', CHART] },
      values: {
        admissionPolicies: {
          protectState: true,
          imagePrefix: 'registry.example.com/',
          forbidPodOverrides: false,
          maxDisagreement: '2%',
          protectCrds: true,
        },
      },
    });
    // A policy is in force a moment after it is stored.
    await eventually(async () => {
      expect(await refusalOf({ accuracy: { maxDisagreement: '3%' } })).toContain('at most 2%');
    }, 20_000);
  });
  afterAll(() => plane.stop());

  /** What the API server says of a service; empty: it takes it. */
  async function refusalOf(spec: object): Promise<string> {
    const service = {
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CachedModelService',
      metadata: { name: 'vision', namespace },
      spec: {
        backbone: { uri: 'https://models.example.com/resnet18.onnx' },
        accuracy: { maxDisagreement: '1%' },
        ...spec,
      },
    };
    return refused(service);
  }

  async function refused(object: object): Promise<string> {
    const { stderr } = await plane.kubectl(['create', '--dry-run=server', '-f', '-'], {
      input: JSON.stringify(object),
    });
    return stderr;
  }

  const pod = (container: object): object => ({
    podTemplate: { spec: { containers: [{ name: 'server', ...container }] } },
  });

  test.each<readonly [string, object, string]>([
    ['a budget at the bound', { accuracy: { maxDisagreement: '2%' } }, ''],
    ['a budget above it', { accuracy: { maxDisagreement: '2.5%' } }, 'may be at most 2% in this'],
    ['an image from the registry', { server: { image: 'registry.example.com/s:1' } }, ''],
    [
      'an image from elsewhere',
      { server: { image: 'evil.example.com/s:1' } },
      'spec.server.image must begin with',
    ],
    ['a podTemplate without images', pod({ env: [] }), ''],
    [
      'a podTemplate with an image from the registry',
      pod({ image: 'registry.example.com/s:1' }),
      '',
    ],
    [
      'a podTemplate with one from elsewhere',
      pod({ image: 'evil.example.com/s:1' }),
      'Images in a podTemplate must begin',
    ],
    [
      'a training with one from elsewhere',
      {
        heads: {
          training: { podTemplate: { spec: { initContainers: [{ name: 'x', image: 'evil/x' }] } } },
        },
      },
      'Images in a podTemplate must begin',
    ],
  ])('%s', async (_, spec, sentence) => {
    const told = await refusalOf(spec);
    if (sentence === '') expect(told).toBe('');
    else expect(told).toContain(sentence);
  });

  test('the service of helm test passes the strictest of them', async () => {
    expect(await refused(smokeService(namespace, 'demo-smoke'))).toBe('');
  });

  test('only the operator changes what it has stored, and its namespace can still be emptied', async () => {
    const admin = (method: 'PUT' | 'POST' | 'DELETE', name: string, object?: object) =>
      plane.request({
        method,
        path: `/api/v1/namespaces/${namespace}/configmaps${method === 'POST' ? '' : `/${name}`}`,
        ...(object === undefined ? {} : { body: object }),
      });
    const configMap = (role: string, text: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `vision-${role}`, namespace, labels: { 'layercache.io/role': role } },
      data: { text },
    });
    for (const role of ['policy', 'ledger', 'head']) {
      expect((await admin('POST', '', configMap(role, 'a'))).status).toBe(201);
      const answer = await admin('PUT', `vision-${role}`, configMap(role, 'b'));
      expect(answer.status, role).toBe(403);
      expect(JSON.stringify(answer.body)).toContain('Only the operator (system:serviceaccount:');
      // Taking the label off is a change too.
      const bare = { ...configMap(role, 'b'), metadata: { name: `vision-${role}`, namespace } };
      expect((await admin('PUT', `vision-${role}`, bare)).status, role).toBe(403);
    }
    const kubeconfigPath = await plane.serviceAccountKubeconfig(
      namespace,
      'demo-layercache-operator',
    );
    const patch = [
      'patch',
      '-n',
      namespace,
      'configmap',
      'vision-policy',
      '-p',
      '{"data":{"text":"c"}}',
    ];
    const changed = await plane.kubectl([...patch, '--type=merge'], { kubeconfigPath });
    expect(changed.stderr).toBe('');
    const other = configMap('other', 'a');
    expect((await admin('POST', '', other)).status).toBe(201);
    expect((await admin('PUT', 'vision-other', configMap('other', 'b'))).status).toBe(200);
    expect((await admin('DELETE', 'vision-policy')).status).toBe(200);
  });

  test('a definition goes only once it is annotated for it', async () => {
    const name = DEFINITIONS[1]!;
    const refusedDelete = await plane.kubectl(['delete', 'crd', name]);
    expect(refusedDelete.stderr).toContain(
      'annotate it with layercache.io/allow-delete=true first',
    );
    await plane.kubectl(['annotate', 'crd', name, 'layercache.io/allow-delete=true']);
    expect((await plane.kubectl(['delete', 'crd', '--wait=false', name])).code).toBe(0);
    await definitionGone(plane, name);
  }, 300_000);

  test('pod overrides can be forbidden', async () => {
    await expectHelm(plane, {
      ...{ major: 4, namespace, args: ['upgrade', 'demo', CHART] },
      values: { admissionPolicies: { forbidPodOverrides: true } },
    });
    await eventually(async () => {
      expect(await refusalOf(pod({ env: [] }))).toContain(
        'This installation allows no podTemplate',
      );
    }, 20_000);
    expect(await refusalOf({ pod: { serviceAccountName: 'mine' } })).toContain(
      'allows no service account of yours',
    );
    expect(await refusalOf({ heads: { training: { serviceAccountName: 'mine' } } })).toContain(
      'allows no service account of yours',
    );
    expect(await refusalOf({ pod: { labels: { a: 'b' } } })).toBe('');
  });
});
