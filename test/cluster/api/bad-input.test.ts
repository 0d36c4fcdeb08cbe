import { beforeAll, describe, expect, test } from 'vitest';

import { sharedControlPlane } from '../../support/control-plane.ts';
import { aRevisionManifest } from '../../unit/crds/verdicts/objects.ts';
import { aManifest } from '../../unit/crds/v1alpha1/service.ts';
import { applyDefinition, committedDefinitions } from './definitions.ts';

/** What kubectl prints for the mistakes that people make (api.md 10), and what cannot be changed later. */
const plane = await sharedControlPlane();

type Spec = Record<string, unknown>;

const head = 'The CachedModelService "vision" is invalid:';

const rows: readonly (readonly [mistake: string, spec: Spec, says: readonly string[]])[] = [
  [
    'a ratio for a percentage',
    { accuracy: { maxDisagreement: 0.01 } },
    [head, 'spec.accuracy.maxDisagreement: Invalid value: "number"', 'must be of type string'],
  ],
  [
    'a ratio in quotes',
    { accuracy: { maxDisagreement: '0.01' } },
    [
      head,
      "spec.accuracy.maxDisagreement in body should match '^(100|",
      'spec.accuracy.maxDisagreement: Invalid value: "0.01": write a percentage between 0% and 20%, for example "1%"',
    ],
  ],
  [
    'a budget beyond the bound',
    { accuracy: { maxDisagreement: '21%' } },
    [
      `${head} spec.accuracy.maxDisagreement: Invalid value: "21%": write a percentage between 0% and 20%, for example "1%"`,
    ],
  ],
  [
    'a duration beyond the bound',
    { heads: { training: { cooldown: '30s' } } },
    [
      'spec.heads.training.cooldown: Invalid value: "30s": write a duration between 1m and 168h, for example "15m"',
    ],
  ],
  ['no budget', { accuracy: {} }, ['spec.accuracy.maxDisagreement: Required value']],
  [
    'a misspelt field',
    { exitMod: 'Active' },
    ['strict decoding error: unknown field "spec.exitMod"'],
  ],
  [
    'an unknown value',
    { exitMode: 'active' },
    [
      'spec.exitMode: Unsupported value: "active": supported values: "Active", "Shadow", "Disabled"',
    ],
  ],
  [
    '17 exits',
    { exits: Array.from({ length: 17 }, (_, i) => ({ name: `e${i}`, tensor: `t${i}` })) },
    ['spec.exits: Too many: 17: must have at most 16 items'],
  ],
  [
    'an exit twice',
    {
      exits: [
        { name: 'a', tensor: 't' },
        { name: 'a', tensor: 'u' },
      ],
    },
    ['spec.exits[1]: Duplicate value: {"name":"a"}'],
  ],
  [
    'a broken rule',
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

  test.each(rows)('%s with what to write', async (_mistake, spec, says) => {
    const { name: namespace } = await plane.namespace();
    const { code, stderr } = await create(aManifest(spec), namespace);
    expect(code).toBe(1);
    for (const text of says) expect(stderr).toContain(text);
  });

  test('a misspelt field in a server-side apply as one that the schema lacks', async () => {
    const { name: namespace } = await plane.namespace();
    const { code, stderr } = await plane.kubectl(
      ['apply', '--server-side', '-n', namespace, '-f', '-'],
      { input: JSON.stringify(aManifest({ exitMod: 'Active' })) },
    );
    expect(code).toBe(1);
    expect(stderr).toContain('.spec.exitMod: field not declared in schema');
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
