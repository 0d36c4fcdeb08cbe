import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import type { HelmMajor } from '../harness/client-tools.ts';
import { CHART, MAJORS, renderObjects } from '../../unit/charts/helm.ts';
import { lastRelease } from '../../unit/charts/last-release.ts';
import { KINDS_OF_MONITORING, SCENARIOS, valuesFor } from '../../unit/charts/scenarios.ts';
import { DEFINITIONS, callHelm, definitionGone, definitionOf, expectHelm } from './release.ts';

const unavailable = await whyUnavailable('control-plane');

/** A folder that goes with the test. */
function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-chart-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** The chart as it was before its first definition got a short name and a value was added. */
function olderChart(): string {
  const folder = join(scratch(), 'layercache');
  cpSync(CHART, folder, { recursive: true });
  const path = join(folder, 'files/crds', `${DEFINITIONS[0]!}.json`);
  const definition = JSON.parse(readFileSync(path, 'utf8')) as {
    spec: { names: { shortNames?: string[] } };
  };
  delete definition.spec.names.shortNames;
  writeFileSync(path, JSON.stringify(definition));
  removeValue(folder);
  return folder;
}

/** `dashboards.folder`, whose template does without. */
function removeValue(folder: string): void {
  const paths = [join(folder, 'values.yaml'), join(folder, 'values.schema.json')] as const;
  const values = parse(readFileSync(paths[0], 'utf8')) as { dashboards: { folder?: string } };
  delete values.dashboards.folder;
  writeFileSync(paths[0], stringify(values));
  const schema = JSON.parse(readFileSync(paths[1], 'utf8')) as {
    properties: { dashboards: { properties: { folder?: object }; required: string[] } };
  };
  const { dashboards } = schema.properties;
  delete dashboards.properties.folder;
  dashboards.required = dashboards.required.filter((name) => name !== 'folder');
  writeFileSync(paths[1], JSON.stringify(schema));
}

/** As the operator reports a service that serves. */
const READY = {
  observedGeneration: 1,
  conditions: [
    {
      ...{ type: 'Ready', status: 'True', reason: 'Serving', message: 'Serving.' },
      ...{ observedGeneration: 1, lastTransitionTime: '2026-11-26T00:00:00Z' },
    },
  ],
};

describe.skipIf(unavailable !== null)('the chart on a real API server', () => {
  let plane: OwnControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane();
  });
  afterAll(() => plane.stop());

  /** A test begins and ends without our definitions. */
  async function clean(): Promise<void> {
    await plane.kubectl(['delete', 'crd', '--ignore-not-found', '--wait=false', ...DEFINITIONS]);
    for (const name of DEFINITIONS) await definitionGone(plane, name);
  }

  async function space(labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const { name } = await plane.namespace({ labels });
    onTestFinished(clean, 300_000);
    return name;
  }

  const install = (major: HelmMajor, namespace: string, release = 'demo', values: object = {}) =>
    callHelm(plane, { major, namespace, args: ['install', release, CHART], values });

  test.each(MAJORS)(
    'Helm %i installs, upgrades, uninstalls and installs again, and definitions with their services stay',
    async (major) => {
      const namespace = await space();
      const run = (...args: readonly string[]) => expectHelm(plane, { major, namespace, args });
      const notes = await run('install', 'demo', olderChart());
      expect(notes).toContain('kind: CachedModelService');
      expect(notes).not.toContain('Warnings:');
      const before = await definitionOf(plane, DEFINITIONS[0]!);
      expect(before?.metadata.annotations).toMatchObject({
        'helm.sh/resource-policy': 'keep',
        'meta.helm.sh/release-name': 'demo',
      });
      expect(before?.spec.names.shortNames).toBeUndefined();
      // With the defaults of the old chart a value that is new has none: said by name, not rendered as nothing.
      const args = ['upgrade', 'demo', CHART, '--reuse-values'];
      const refused = await callHelm(plane, { major, namespace, args });
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('folder');
      const keeping = ['--reset-then-reuse-values', '--set', 'operator.log=debug'];
      await run('upgrade', 'demo', CHART, ...keeping);
      expect((await definitionOf(plane, DEFINITIONS[0]!))?.spec.names.shortNames).toEqual(['cms']);
      await run('uninstall', 'demo');
      expect((await definitionOf(plane, DEFINITIONS[0]!))?.metadata.uid).toBe(before?.metadata.uid);
      await run('install', 'demo', CHART);
      const after = await definitionOf(plane, DEFINITIONS[0]!);
      expect(after?.metadata.uid).toBe(before?.metadata.uid);
      await run('uninstall', 'demo');
    },
  );

  test.each(MAJORS)(
    'Helm %i upgrades from the last release, and values, definitions and services stay',
    async (major) => {
      const namespace = await space();
      const run = (...args: readonly string[]) => expectHelm(plane, { major, namespace, args });
      const { archive, version } = lastRelease();
      await run('install', 'demo', archive, '--set', 'operator.log=warn');
      const before = await definitionOf(plane, DEFINITIONS[0]!);
      const sample = readFileSync('crds/samples/smallest.yaml', 'utf8');
      const applied = await plane.kubectl(['apply', '-n', namespace, '-f', '-'], { input: sample });
      expect(applied.stderr).toBe('');
      const stored = async (): Promise<{ metadata: { uid: string }; spec: object }> => {
        const { stdout } = await plane.kubectl(['get', 'cms', '-n', namespace, '-o', 'json']);
        const { items } = JSON.parse(stdout) as { items: Awaited<ReturnType<typeof stored>>[] };
        const { metadata, spec } = items[0]!;
        return { metadata: { uid: metadata.uid }, spec };
      };
      const service = await stored();
      expect(service.spec).toMatchObject({ replicas: 1 });

      await run('upgrade', 'demo', CHART, '--reset-then-reuse-values');
      expect((await definitionOf(plane, DEFINITIONS[0]!))?.metadata.uid).toBe(before?.metadata.uid);
      // With the defaults of what is new beside it.
      expect(await stored()).toMatchObject(service);
      const values = JSON.parse(await run('get', 'values', 'demo', '-o', 'json')) as unknown;
      expect(values).toEqual({ operator: { log: 'warn' } });
      // Back, as one does when the new one disappoints.
      await run('rollback', 'demo', '1');
      expect(await run('history', 'demo')).toContain(`Rollback to 1`);
      expect(await run('list', '-o', 'json')).toContain(`layercache-${version}`);
      expect(await stored()).toMatchObject(service);
      await run('uninstall', 'demo');
    },
  );

  test.each(MAJORS)(
    'Helm %i refuses another release over kept definitions, and takes them over when told',
    async (major) => {
      const namespace = await space();
      await expectHelm(plane, { major, namespace, args: ['install', 'demo', CHART] });
      await expectHelm(plane, { major, namespace, args: ['uninstall', 'demo'] });
      const refused = await install(major, namespace, 'other');
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('demo');
      expect(refused.stderr).toMatch(/invalid ownership metadata/);
      await callHelm(plane, { major, namespace, args: ['uninstall', 'other'] });

      const without = await install(major, namespace, 'other', { crds: { install: false } });
      expect(without.code, without.stderr).toBe(0);
      expect(without.stdout).toContain('crds.install is off: apply crds.yaml');
      await expectHelm(plane, { major, namespace, args: ['uninstall', 'other'] });

      const args = ['install', 'other', CHART, '--take-ownership'];
      await expectHelm(plane, { major, namespace, args });
      expect((await definitionOf(plane, DEFINITIONS[0]!))?.metadata.annotations).toMatchObject({
        'meta.helm.sh/release-name': 'other',
      });
      await expectHelm(plane, { major, namespace, args: ['uninstall', 'other'] });
    },
  );

  test('a release of Helm 3 goes on with Helm 4, by either way of applying', async () => {
    const namespace = await space();
    await expectHelm(plane, { major: 3, namespace, args: ['install', 'demo', CHART] });
    const upgrade = ['upgrade', 'demo', CHART, '--set', 'operator.log=debug'];
    await expectHelm(plane, { major: 4, namespace, args: upgrade });
    const forced = [...upgrade, '--server-side=true', '--force-conflicts'];
    await expectHelm(plane, { major: 4, namespace, args: forced });
    await expectHelm(plane, { major: 4, namespace, args: ['uninstall', 'demo'] });
  });

  test('without crds.keep uninstalling takes the definitions along', async () => {
    const namespace = await space();
    const installed = await install(4, namespace, 'demo', { crds: { keep: false } });
    expect(installed.stdout).toContain('crds.keep is off: uninstalling this release deletes');
    await expectHelm(plane, { major: 4, namespace, args: ['uninstall', 'demo'] });
    await definitionGone(plane, DEFINITIONS[0]!);
  }, 300_000);

  test('a release waits for our kind with Helm 4, and not with Helm 3', async () => {
    const namespace = await space();
    await expectHelm(plane, { major: 4, namespace, args: ['install', 'demo', CHART] });
    const folder = scratch();
    mkdirSync(join(folder, 'templates'));
    writeFileSync(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: vision\nversion: 1.0.0\n');
    writeFileSync(
      join(folder, 'templates/service.yaml'),
      JSON.stringify({
        apiVersion: 'layercache.io/v1alpha1',
        kind: 'CachedModelService',
        metadata: { name: '{{ .Release.Name }}' },
        spec: {
          backbone: { uri: 'https://models.example.com/resnet18.onnx' },
          accuracy: { maxDisagreement: '1%' },
        },
      }),
    );
    const wait = (major: HelmMajor) =>
      callHelm(plane, {
        ...{ major, namespace },
        args: ['install', `vision-${major}`, folder, '--wait', '--timeout', '3s'],
      });
    expect((await wait(3)).code).toBe(0);
    // Nobody reports on it here: the default of its status says that it is not done.
    const { code, stderr } = await wait(4);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/not ready|InProgress|deadline|timed? ?out/i);
    const path = `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices/vision-4/status`;
    const reported = await plane.request({
      ...{ method: 'PATCH', path, body: { status: READY } },
      contentType: 'application/merge-patch+json',
    });
    expect(reported.status, JSON.stringify(reported.body)).toBe(200);
    const args = ['upgrade', 'vision-4', folder, '--wait', '--timeout', '30s'];
    await expectHelm(plane, { major: 4, namespace, args });
    await expectHelm(plane, { major: 4, namespace, args: ['uninstall', 'demo'] });
  });

  test.each(Object.keys(SCENARIOS))(
    'every object of %s is accepted strictly, and pods by Pod Security restricted',
    async (scenario) => {
      const namespace = await space({
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/warn': 'restricted',
      });
      const values = valuesFor(scenario, '1.36.0');
      const objects = (await renderObjects({ values }))
        // This API server does not know kinds of other products.
        .filter(({ kind }) => !KINDS_OF_MONITORING.includes(kind))
        .map((one) =>
          one.metadata.namespace === undefined
            ? one
            : { ...one, metadata: { ...one.metadata, namespace } },
        )
        // A dry run makes no account that the pod could have.
        .map((one) =>
          one.kind === 'Pod'
            ? { ...one, spec: { ...(one.spec as object), serviceAccountName: 'default' } }
            : one,
        );
      const { code, stdout, stderr } = await plane.kubectl(
        ['create', '--dry-run=server', '--validate=strict', '-f', '-'],
        { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) },
      );
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout.trim().split('\n')).toHaveLength(objects.length);
    },
  );
});
