import { beforeAll, describe, expect, test } from 'vitest';

import { sharedControlPlane } from '../../support/control-plane.ts';
import { aRevisionManifest } from '../../unit/crds/verdicts/objects.ts';
import { aManifest } from '../../unit/crds/v1alpha1/service.ts';
import { applyDefinition, committedDefinitions } from './definitions.ts';

/** What kubectl prints for the mistakes that people make, in the order of the reference, and what cannot be changed later. */
const plane = await sharedControlPlane();

type Spec = Record<string, unknown>;

const API = '/apis/layercache.io/v1alpha1';
/** In a merge patch only null takes a field away. */
const NO_BUDGET = { accuracy: { maxDisagreement: null } };
const head = 'The CachedModelService "vision" is invalid:';

const rows: readonly (readonly [input: string, spec: Spec, says: readonly string[]])[] = [
  [
    'maxDisagreement: 0.01',
    { accuracy: { maxDisagreement: 0.01 } },
    [
      head,
      'spec.accuracy.maxDisagreement: Invalid value: "number": spec.accuracy.maxDisagreement in body must be of type string: "number"',
    ],
  ],
  [
    'maxDisagreement: "0.01"',
    { accuracy: { maxDisagreement: '0.01' } },
    [
      head,
      "spec.accuracy.maxDisagreement in body should match '^(100|",
      'spec.accuracy.maxDisagreement: Invalid value: "0.01": write a percentage between 0% and 20%, for example "1%"',
    ],
  ],
  [
    'maxDisagreement: "21%"',
    { accuracy: { maxDisagreement: '21%' } },
    [
      `${head} spec.accuracy.maxDisagreement: Invalid value: "21%": write a percentage between 0% and 20%, for example "1%"`,
    ],
  ],
  [
    'cooldown: 30s',
    { heads: { training: { cooldown: '30s' } } },
    [
      'spec.heads.training.cooldown: Invalid value: "30s": write a duration between 1m and 168h, for example "15m"',
    ],
  ],
  ['no budget', { accuracy: {} }, [head, 'spec.accuracy.maxDisagreement: Required value']],
  [
    'misspelt field',
    { exitMod: 'Active' },
    ['strict decoding error: unknown field "spec.exitMod"'],
  ],
  [
    'unknown enum',
    { exitMode: 'active' },
    [
      'spec.exitMode: Unsupported value: "active": supported values: "Active", "Shadow", "Disabled"',
    ],
  ],
  [
    '17 exits',
    { exits: Array.from({ length: 17 }, (_, i) => ({ name: `e${i}`, tensor: `t${i}` })) },
    [head, 'spec.exits: Too many: 17: must have at most 16 items'],
  ],
  [
    'exit name twice',
    {
      exits: [
        { name: 'a', tensor: 't' },
        { name: 'a', tensor: 'u' },
      ],
    },
    [head, 'spec.exits[1]: Duplicate value: {"name":"a"}'],
  ],
  [
    'broken rule',
    { replicas: 2, autoscaling: { maxReplicas: 3 } },
    [
      `${head} spec.replicas: Invalid value: with autoscaling the HPA owns the count: remove replicas`,
    ],
  ],
];

describe.skipIf(plane.unavailable !== null)('the API server answers', () => {
  beforeAll(async () => {
    for (const definition of committedDefinitions()) {
      await applyDefinition(plane.request, definition);
    }
  });

  const create = async (object: unknown, namespace: string): ReturnType<typeof plane.kubectl> =>
    plane.kubectl(['create', '-n', namespace, '-f', '-'], { input: JSON.stringify(object) });

  /** The object that is there, null without one. */
  const stored = async (namespace: string): Promise<unknown> => {
    const path = `${API}/namespaces/${namespace}/cachedmodelservices/vision`;
    const { status, body } = await plane.request({ path });
    return status === 404 ? null : body;
  };

  test.each(rows)('%s: with field, value and what to write', async (_input, spec, says) => {
    const { name: namespace } = await plane.namespace();
    const { code, stderr } = await create(aManifest(spec), namespace);
    expect(code).toBe(1);
    for (const text of says) expect(stderr).toContain(text);
    expect(await stored(namespace)).toBeNull();
  });

  test.each([
    ['misspelt field', { exitMod: 'Active' }, '.spec.exitMod: field not declared in schema'],
    [
      'exit name twice',
      { exits: ['t', 'u'].map((tensor) => ({ name: 'a', tensor })) },
      'duplicate entries for key [name="a"]',
    ],
  ])('%s: in a server-side apply in other words', async (_input, spec, says) => {
    const { name: namespace } = await plane.namespace();
    const { code, stderr } = await plane.kubectl(
      ['apply', '--server-side', '-n', namespace, '-f', '-'],
      { input: JSON.stringify(aManifest(spec)) },
    );
    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(await stored(namespace)).toBeNull();
  });

  test('misspelt field: in a patch with a warning, and drops it', async () => {
    const { name: namespace } = await plane.namespace();
    expect((await create(aManifest(), namespace)).code).toBe(0);
    const before = await stored(namespace);
    const { code, stderr } = await plane.kubectl([
      ...['patch', 'cms/vision', '-n', namespace, '--type=merge'],
      ...['-p', '{"spec":{"exitMod":"Active"}}'],
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain('Warning: unknown field "spec.exitMod"');
    const { metadata, spec } = before as { metadata: { generation: number }; spec: Spec };
    const { generation } = metadata;
    expect(await stored(namespace)).toMatchObject({ metadata: { generation }, spec });
    expect(JSON.stringify(await stored(namespace))).not.toContain('exitMod"');
  });

  test('structure errors apply nothing: the good object stays as it was', async () => {
    const { name: namespace } = await plane.namespace();
    expect((await create(aManifest(), namespace)).code).toBe(0);
    const before = await stored(namespace);
    for (const [input, spec] of rows) {
      const { status } = await plane.request({
        method: 'PATCH',
        path: `${API}/namespaces/${namespace}/cachedmodelservices/vision?fieldValidation=Strict`,
        contentType: 'application/merge-patch+json',
        // What else the row changes is right, and does not get in either.
        body: { spec: { exitMode: 'Shadow', ...spec, ...(input === 'no budget' && NO_BUDGET) } },
      });
      expect([400, 422], input).toContain(status);
    }
    expect(await stored(namespace)).toEqual(before);
  });

  test('a change of the model name with what to do instead, and takes the name that was computed', async () => {
    const { name: namespace } = await plane.namespace();
    expect((await create(aManifest(), namespace)).code).toBe(0);
    const patch = (spec: Spec): ReturnType<typeof plane.kubectl> =>
      plane.kubectl([
        'patch',
        'cms/vision',
        '-n',
        namespace,
        '--type=merge',
        '-p',
        JSON.stringify({ spec }),
      ]);
    expect((await patch({ modelName: 'vision' })).code).toBe(0);
    for (const modelName of ['other', 'vision-2']) {
      const { code, stderr } = await patch({ modelName });
      expect(code).toBe(1);
      expect(stderr).toContain(
        'spec.modelName: Invalid value: modelName cannot change: create a new CachedModelService',
      );
    }
    expect((await patch({ replicas: 2 })).code).toBe(0);
    expect((await patch({ modelName: null })).code).toBe(0);
  });

  test('a change of a revision with what to do instead, but lets labels and status change', async () => {
    const { name: namespace } = await plane.namespace();
    expect((await create(aRevisionManifest(), namespace)).code).toBe(0);
    const on = ['chr/vision-3f2a9c1b77d0', '-n', namespace];
    const change = ['patch', ...on, '--type=merge', '-p', '{"spec":{"classCount":999}}'];
    const { code, stderr } = await plane.kubectl(change);
    expect(code).toBe(1);
    expect(stderr).toContain('a CacheHeadRevision cannot change: create a new one');
    expect((await plane.kubectl(['label', ...on, 'a=b'])).code).toBe(0);
  });
});
