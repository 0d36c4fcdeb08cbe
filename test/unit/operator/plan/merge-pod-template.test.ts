import { describe, expect, test } from 'vitest';

import { mergePodTemplate } from '../../../../operator/plan/merge-pod-template.ts';
import { renderTemplateV1 } from '../../../../operator/plan/template-v1/render.ts';
import { listAt, objectAt } from '../../../../operator/plan/json-object.ts';
import { aServiceToPlan, DEFAULTS } from './builders.ts';

const RENDERED = renderTemplateV1({
  service: aServiceToPlan({ pod: { nodeSelector: { disk: 'ssd', zone: 'a' } } }),
  inputs: DEFAULTS.template,
  adminGeneration: 1,
});

function merged(override: Readonly<Record<string, unknown>>): unknown {
  const result = mergePodTemplate(RENDERED, override);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.template;
}

function problemsOf(override: Readonly<Record<string, unknown>>): string[] {
  const result = mergePodTemplate(RENDERED, override);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

function onServer(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { spec: { containers: [{ name: 'server', ...fields }] } };
}

function named(template: unknown, list: string, name: string): unknown {
  return listAt(template, 'spec', list).find((item) => item.name === name);
}

test('without an override the rendered template stays', () => {
  expect(mergePodTemplate(RENDERED, undefined)).toEqual({ ok: true, template: RENDERED });
  expect(merged({})).toEqual(RENDERED);
});

describe('a merge', () => {
  test('adds and replaces fields and leaves the others', () => {
    const template = merged({ spec: { dnsPolicy: 'None', nodeSelector: { zone: 'b' } } });
    expect(objectAt(template, 'spec').dnsPolicy).toBe('None');
    expect(objectAt(template, 'spec', 'nodeSelector')).toEqual({ disk: 'ssd', zone: 'b' });
    expect(objectAt(template, 'spec').volumes).toEqual(RENDERED.spec!.volumes);
  });

  test('removes a field by null', () => {
    const template = merged({ spec: { nodeSelector: { zone: null }, enableServiceLinks: null } });
    expect(objectAt(template, 'spec', 'nodeSelector')).toEqual({ disk: 'ssd' });
    expect(objectAt(template, 'spec')).not.toHaveProperty('enableServiceLinks');
  });

  test('matches containers and env by name', () => {
    const template = merged(
      onServer({
        env: [
          { name: 'HTTPS_PROXY', value: 'http://proxy:3128' },
          { name: 'LAYERCACHE_SAMPLE_MEMORY', value: '1Gi' },
        ],
      }),
    );
    const server = named(template, 'containers', 'server');
    const env = listAt(server, 'env');
    expect(env.at(-1)).toEqual({ name: 'HTTPS_PROXY', value: 'http://proxy:3128' });
    expect(env).toContainEqual({ name: 'LAYERCACHE_SAMPLE_MEMORY', value: '1Gi' });
    expect(env).toHaveLength(RENDERED.spec!.containers[0]!.env!.length + 1);
    expect(objectAt(server).image).toBe(DEFAULTS.template.image);
  });

  test('matches mounts by path and volumes by name', () => {
    const template = merged({
      spec: {
        volumes: [
          { name: 'cache', emptyDir: { sizeLimit: '50Gi' } },
          { name: 'nfs', nfs: {} },
        ],
        containers: [{ name: 'server', volumeMounts: [{ mountPath: '/data', name: 'nfs' }] }],
      },
    });
    expect(named(template, 'volumes', 'cache')).toEqual({
      name: 'cache',
      emptyDir: { sizeLimit: '50Gi' },
    });
    const mounts = listAt(named(template, 'containers', 'server'), 'volumeMounts');
    expect(mounts.at(-1)).toEqual({ mountPath: '/data', name: 'nfs' });
    expect(mounts).toHaveLength(RENDERED.spec!.containers[0]!.volumeMounts!.length + 1);
  });

  test('adds containers of its own, without their nulls', () => {
    const template = merged({
      spec: {
        containers: [{ name: 'proxy', image: 'p', command: null }],
        initContainers: [{ name: 'wait', image: 'w' }],
      },
    });
    expect(named(template, 'containers', 'proxy')).toEqual({ name: 'proxy', image: 'p' });
    expect(named(template, 'initContainers', 'wait')).toEqual({ name: 'wait', image: 'w' });
  });

  test('removes an item whose other fields are all null', () => {
    const template = merged({
      spec: {
        volumes: [{ name: 'tmp', emptyDir: null }],
        containers: [
          {
            name: 'server',
            env: [{ name: 'LAYERCACHE_ENGINE', value: null }],
            volumeMounts: [{ mountPath: '/tmp', name: null }],
          },
        ],
      },
    });
    expect(named(template, 'volumes', 'tmp')).toBeUndefined();
    expect(JSON.stringify(template)).not.toContain('LAYERCACHE_ENGINE"');
    expect(JSON.stringify(template)).not.toContain('"/tmp"');
  });

  test('an item that only names itself changes nothing', () => {
    expect(merged(onServer({}))).toEqual(RENDERED);
  });

  test('replaces every other list whole', () => {
    const tolerations = [{ key: 'a' }];
    expect(objectAt(merged({ spec: { tolerations } }), 'spec').tolerations).toEqual(tolerations);
  });
});

describe('an override is refused, with the path, when', () => {
  test.each([
    [
      'it changes a selector label',
      { metadata: { labels: { 'layercache.io/service': 'x' } } },
      '.metadata.labels["layercache.io/service"]',
    ],
    [
      'it removes all metadata',
      { metadata: null },
      '.metadata.labels["app.kubernetes.io/component"]',
    ],
    [
      'it mounts the API token',
      { spec: { automountServiceAccountToken: true } },
      '.spec.automountServiceAccountToken',
    ],
    [
      'it drops the token switch',
      { spec: { automountServiceAccountToken: null } },
      '.spec.automountServiceAccountToken',
    ],
    ['it changes ports', onServer({ ports: [] }), '.spec.containers[name="server"].ports'],
    [
      'it removes a probe',
      onServer({ livenessProbe: null }),
      '.spec.containers[name="server"].livenessProbe',
    ],
    [
      'it changes the volume policy',
      { spec: { volumes: [{ name: 'policy', emptyDir: {} }] } },
      '.spec.volumes[name="policy"]',
    ],
    [
      'it removes the admin keys',
      { spec: { volumes: [{ name: 'admin', secret: null }] } },
      '.spec.volumes[name="admin"]',
    ],
    [
      'it unmounts the policy',
      onServer({ volumeMounts: [{ mountPath: '/etc/layercache/policy', name: null }] }),
      '.spec.containers[name="server"].volumeMounts[name="policy"]',
    ],
    [
      'it removes the server',
      { spec: { containers: [{ name: 'server', image: null }] } },
      '.spec.containers[name="server"].ports',
    ],
    [
      'containers is no list',
      { spec: { containers: {} } },
      '.spec.containers[name="server"].ports',
    ],
  ])('%s', (_, override, path) => {
    expect(problemsOf(override)).toContain(
      `.spec.template${path}: is set by the operator and cannot be changed: remove it from podTemplate`,
    );
  });

  test('an item has no key to merge by', () => {
    expect(problemsOf({ spec: { volumes: [{ emptyDir: {} }, 'tmp', { name: '' }] } })).toEqual(
      [0, 1, 2].map(
        (i) => `.spec.template.spec.volumes[${i}].name: needs a text: items merge by name`,
      ),
    );
  });

  test('an item deep inside has none: the path quotes the way', () => {
    const override = onServer({ 'odd-field': { env: [{ value: 'x' }] } });
    expect(problemsOf(override)).toEqual([
      '.spec.template.spec.containers[name="server"]["odd-field"].env[0].name: needs a text: items merge by name',
    ]);
  });
});

test('the same values as rendered are no change', () => {
  const { ports } = RENDERED.spec!.containers[0]!;
  expect(problemsOf(onServer({ ports }))).toEqual([]);
});
