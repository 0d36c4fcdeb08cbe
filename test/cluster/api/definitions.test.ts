import { readdirSync, readFileSync } from 'node:fs';

import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { SERVICE_COLUMNS } from '../../../crds/schema/columns.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { aManifest } from '../../unit/crds/v1alpha1/service.ts';
import { applyDefinition, committedDefinitions } from './definitions.ts';

/** What people meet of the definitions: kubectl apply, explain, get, scale. */
const plane = await sharedControlPlane();

const GROUP = '/apis/layercache.io/v1alpha1';
const SAMPLES = 'crds/samples';

type Json = Record<string, unknown>;

interface OpenApiNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, OpenApiNode>>;
  readonly items?: OpenApiNode;
}

/** Paths of fields without a description, as `kubectl explain` would find them. */
function undescribed(node: OpenApiNode, path: string): string[] {
  const inner = Object.entries(node.properties ?? {}).flatMap(([name, field]) => [
    ...(field.description?.includes('.') === true ? [] : [`${path}.${name}`]),
    ...undescribed(field, `${path}.${name}`),
  ]);
  return node.items === undefined ? inner : [...inner, ...undescribed(node.items, `${path}[]`)];
}

async function create(namespace: string, plural: string, object: unknown): Promise<Json> {
  const path = `${GROUP}/namespaces/${namespace}/${plural}?fieldValidation=Strict`;
  const { status, body } = await plane.request({ method: 'POST', path, body: object });
  expect(status, JSON.stringify(body)).toBe(201);
  return body as Json;
}

async function patchStatus(path: string, status: Json): Promise<void> {
  const answer = await plane.request({
    method: 'PATCH',
    path: `${path}/status?fieldValidation=Strict`,
    contentType: 'application/merge-patch+json',
    body: { status },
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

function aCondition(type: string, status: string, reason: string): Json {
  return { type, status, reason, message: 'm', lastTransitionTime: '2026-11-25T10:00:00Z' };
}

describe.skipIf(plane.unavailable !== null)('the definitions', () => {
  beforeAll(async () => {
    for (const definition of committedDefinitions()) {
      await applyDefinition(plane.request, definition);
    }
  });

  test('are applied by folder, twice, without a complaint', async () => {
    for (const pass of [1, 2]) {
      const { code, stdout, stderr } = await plane.kubectl([
        'apply',
        '--server-side',
        '--force-conflicts',
        '-f',
        'crds/',
      ]);
      expect(stderr, `pass ${pass}`).toBe('');
      expect(code).toBe(0);
      expect(stdout.trim().split('\n')).toHaveLength(2);
    }
    const clientSide = await plane.kubectl(['apply', '--dry-run=server', '-f', 'crds/']);
    expect(clientSide.code, clientSide.stderr).toBe(0);
  });

  test('explain every field', async () => {
    const { body } = await plane.request({ path: `/openapi/v3${GROUP}` });
    const { schemas } = (body as { components: { schemas: Record<string, OpenApiNode> } })
      .components;
    const kinds = ['CachedModelService', 'CacheHeadRevision'];
    const missing = kinds.flatMap((kind) => {
      const node = schemas[`io.layercache.v1alpha1.${kind}`];
      expect(node?.description, kind).toMatch(/\.$/);
      const { spec, status } = node?.properties ?? {};
      return [...undescribed(spec ?? {}, 'spec'), ...undescribed(status ?? {}, 'status')];
    });
    expect(missing).toEqual([]);
    const explained = await plane.kubectl(['explain', 'cms.spec.heads.training.cooldown']);
    expect(explained.stdout.replaceAll(/\s+/g, ' ')).toContain(
      'Least time between two trainings. Bounds: 1m to 168h. Default: 15m.',
    );
    const recursive = await plane.kubectl(['explain', 'chr', '--recursive']);
    expect(recursive.stdout).toContain('sizeBytes\t<integer> -required-');
  });

  test.each(readdirSync(SAMPLES).filter((file) => file.endsWith('.yaml')))(
    'take the sample %s as it stands',
    async (file) => {
      const { name: namespace } = await plane.namespace();
      const sample = parse(readFileSync(`${SAMPLES}/${file}`, 'utf8'), { version: '1.1' }) as Json;
      const metadata = { ...(sample.metadata as Json), namespace };
      const { code, stdout, stderr } = await plane.kubectl(['apply', '-f', '-'], {
        input: JSON.stringify({ ...sample, metadata }),
      });
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toContain(' created');
    },
  );

  test('give a new object a status that tools take for not ready yet', async () => {
    const { name: namespace } = await plane.namespace();
    const service = await create(namespace, 'cachedmodelservices', aManifest());
    expect(service.status).toEqual({ observedGeneration: -1 });
  });

  test('fill in defaults that the API server judges as our parser does', async () => {
    const { name: namespace } = await plane.namespace();
    const { spec } = await create(namespace, 'cachedmodelservices', aManifest());
    expect(spec).toMatchObject({
      replicas: 1,
      server: { engine: 'Auto', batching: { maxBatchSize: 32 }, drain: { delay: '10s' } },
      rollout: { minRequests: 100, stepDeadline: '6h' },
    });
    expect(spec).not.toHaveProperty('networkPolicy');
  });

  test('take a null for an absent field, except in Kubernetes types, where it removes', async () => {
    const { name: namespace } = await plane.namespace();
    const podTemplate = { spec: { containers: [{ name: 'server', resources: null }] } };
    const object = aManifest({ server: null, exits: null, podTemplate });
    const { spec } = await create(namespace, 'cachedmodelservices', object);
    expect(spec).toMatchObject({ server: { engine: 'Auto' }, podTemplate });
    expect(spec).not.toHaveProperty('exits');
  });
});

describe.skipIf(plane.unavailable !== null)('kubectl', () => {
  /** The longest values that the columns are made for; no two of them are rare together. */
  const longest = {
    observedGeneration: 1,
    conditions: [
      aCondition('Ready', 'False', 'ProgressDeadlineExceeded'),
      aCondition('ExitsActive', 'False', 'CollectingSamples'),
    ],
    readyReplicas: 1000,
    heads: { stable: { revision: 'r', id: '3f2a9c1b77d0' } },
    rollout: { share: '25%' },
    accuracy: { exitedShare: '61.3%', upperBound: '0.58%' },
  };

  test('shows a service in 140 columns with a name of 31 characters', async () => {
    const { name: namespace } = await plane.namespace();
    const name = 'a'.repeat(31);
    await create(namespace, 'cachedmodelservices', aManifest({}, name));
    await patchStatus(`${GROUP}/namespaces/${namespace}/cachedmodelservices/${name}`, longest);
    const { stdout } = await plane.kubectl(['get', 'cms', '-n', namespace]);
    const [head = '', row = ''] = stdout.split('\n');
    const names = SERVICE_COLUMNS.filter(({ priority }) => priority === undefined);
    expect(head.split(/\s+/)).toEqual([
      'NAME',
      ...names.map((column) => column.name.toUpperCase()),
    ]);
    expect(row).toContain('ProgressDeadlineExceeded   1000   CollectingSamples   3f2a9c1b77d0');
    expect(Math.max(head.trimEnd().length, row.trimEnd().length)).toBeLessThanOrEqual(140);
  });

  test('finds both kinds by short name and by category', async () => {
    const { name: namespace } = await plane.namespace();
    await create(namespace, 'cachedmodelservices', aManifest());
    for (const kind of ['cms', 'layercache', 'chr']) {
      const { code } = await plane.kubectl(['get', kind, '-n', namespace]);
      expect(code, kind).toBe(0);
    }
  });

  test('scales a service, and an autoscaler finds its selector', async () => {
    const { name: namespace } = await plane.namespace();
    await create(namespace, 'cachedmodelservices', aManifest());
    const path = `${GROUP}/namespaces/${namespace}/cachedmodelservices/vision`;
    const before = await plane.request({ path: `${path}/scale` });
    expect(before.body).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 0 } });
    const selector = 'layercache.io/service=vision,app.kubernetes.io/component=server';
    await patchStatus(path, { replicas: 2, selector });
    const { code, stderr } = await plane.kubectl([
      'scale',
      'cms/vision',
      '--replicas=3',
      '-n',
      namespace,
    ]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const after = await plane.request({ path: `${path}/scale` });
    expect(after.body).toMatchObject({
      spec: { replicas: 3 },
      status: { replicas: 2, selector },
    });
  });

  test('waits for a condition of this generation', async () => {
    const { name: namespace } = await plane.namespace();
    await create(namespace, 'cachedmodelservices', aManifest());
    const path = `${GROUP}/namespaces/${namespace}/cachedmodelservices/vision`;
    const wait = ['wait', 'cms/vision', '--for=condition=Ready', '-n', namespace];
    const ready = { conditions: [aCondition('Ready', 'True', 'Serving')] };
    await patchStatus(path, ready);
    expect((await plane.kubectl([...wait, '--timeout=200ms'])).code).toBe(1);
    await patchStatus(path, { ...ready, observedGeneration: 1 });
    expect((await plane.kubectl([...wait, '--timeout=20s'])).code).toBe(0);
  });
});
