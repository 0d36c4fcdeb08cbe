// Everything on, on an API server that knows the kinds of the operators of Prometheus and Grafana.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { CHART, MAJORS, renderObjects, type ChartObject } from '../../unit/charts/helm.ts';
import { KINDS_OF_MONITORING, MONITORING, valuesFor } from '../../unit/charts/scenarios.ts';
import { installKinds } from './kinds-of-others.ts';
import { expectHelm } from './release.ts';

const unavailable = await whyUnavailable('kinds');
const ALL_ON = valuesFor('all on', '1.36.0') as Readonly<Record<string, object>>;
const WITH_SERVICE_MONITOR = {
  ...ALL_ON,
  metrics: { podMonitor: { enabled: false }, serviceMonitor: { enabled: true, interval: '1m' } },
  dashboards: { enabled: true, folder: 'Models', grafanaOperator: { enabled: true } },
  alerts: { enabled: true, disabled: { ExitsOff: true }, alertLabels: { team: 'other' } },
};

describe.skipIf(unavailable !== null)('the chart with everything on', () => {
  let plane: OwnControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane();
    await installKinds(plane);
  });
  afterAll(() => plane.stop());

  async function namesOf(namespace: string): Promise<readonly string[]> {
    const args = ['get', KINDS_OF_MONITORING.join(','), '-n', namespace, '-o', 'name'];
    const { stdout, stderr } = await plane.kubectl(args);
    expect(stderr).toBe('');
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/\.[^/]+\//, '/'));
  }

  test.each([
    ['PodMonitors', ALL_ON, 7],
    ['a ServiceMonitor', WITH_SERVICE_MONITOR, 7],
  ] as const)('with %s makes nothing that its kind does not know', async (_, values, count) => {
    const { name: namespace } = await plane.namespace();
    const objects = (await renderObjects({ values, apiVersions: MONITORING }))
      .filter(({ kind }) => KINDS_OF_MONITORING.includes(kind))
      .map((one): ChartObject => ({ ...one, metadata: { ...one.metadata, namespace } }));
    expect(objects).toHaveLength(count);
    const create = (items: readonly object[]) =>
      plane.kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], {
        input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
      });
    const { code, stdout, stderr } = await create(objects);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(count);
    // Each would be refused for a field that it does not know.
    for (const one of objects) {
      const { stderr: refusal } = await create([
        { ...one, spec: { ...(one.spec as object), misspelt: true } },
      ]);
      expect(refusal, one.kind).toMatch(/unknown field "(spec\.)?misspelt"/);
    }
  });

  test.each(MAJORS)(
    'Helm %i installs it, changes it and takes it away, in a Secret of less than half of what Kubernetes takes',
    async (major) => {
      const { name: namespace } = await plane.namespace();
      const run = (args: readonly string[], values?: object) =>
        expectHelm(plane, {
          ...{ major, namespace, args },
          ...(values === undefined ? {} : { values }),
        });
      // The definitions outlive the release of the other Helm.
      const notes = await run(['install', 'demo', CHART, '--take-ownership'], ALL_ON);
      expect(notes).not.toContain('Warnings:');
      const dashboards = ['fleet', 'operator', 'rollout', 'service'].map(
        (board) => `grafanadashboard/demo-layercache-dashboard-${board}`,
      );
      const always = [
        ...dashboards,
        'podmonitor/demo-layercache-models',
        'prometheusrule/demo-layercache',
      ];
      expect([...(await namesOf(namespace))].sort()).toEqual(
        [...always, 'podmonitor/demo-layercache-operator'].sort(),
      );
      await run(['upgrade', 'demo', CHART], WITH_SERVICE_MONITOR);
      expect([...(await namesOf(namespace))].sort()).toEqual(
        [...always, 'servicemonitor/demo-layercache-operator'].sort(),
      );
      for (const revision of [1, 2]) {
        expect(await releaseBytes(namespace, revision)).toBeLessThan(512 * 1024);
      }
      await run(['uninstall', 'demo']);
      expect(await namesOf(namespace)).toEqual([]);
    },
  );

  async function releaseBytes(namespace: string, revision: number): Promise<number> {
    const { status, body } = await plane.request({
      path: `/api/v1/namespaces/${namespace}/secrets/sh.helm.release.v1.demo.v${revision}`,
    });
    expect(status).toBe(200);
    return JSON.stringify(body).length;
  }

  test('who may view a namespace reads services, who may edit it writes them, and nobody writes their status', async () => {
    const { name: namespace } = await plane.namespace();
    const args = ['install', 'demo', CHART, '--take-ownership'];
    await expectHelm(plane, { major: 4, namespace, args });
    const may = async (user: string, verb: string, what: string): Promise<boolean> => {
      const [kind = '', subresource = ''] = what.split('/');
      const words = ['auth', 'can-i', verb, kind, '-n', namespace, '--as', user];
      const { stdout } = await plane.kubectl([...words, `--subresource=${subresource}`]);
      return stdout.trim() === 'yes';
    };
    for (const role of ['view', 'edit', 'admin']) {
      const words = ['create', 'rolebinding', role, '-n', namespace, `--user=${role}er`];
      expect((await plane.kubectl([...words, `--clusterrole=${role}`])).stderr).toBe('');
    }
    const KIND = 'cachedmodelservices.layercache.io';
    // A controller adds the rules to the roles of the cluster.
    await eventually(async () => {
      expect(await may('viewer', 'list', KIND)).toBe(true);
      expect(await may('editer', 'create', KIND)).toBe(true);
    }, 60_000);
    expect(await may('viewer', 'get', 'cacheheadrevisions.layercache.io')).toBe(true);
    expect(await may('viewer', 'create', KIND)).toBe(false);
    expect(await may('adminer', 'delete', KIND)).toBe(true);
    expect(await may('editer', 'patch', `${KIND}/scale`)).toBe(true);
    for (const user of ['viewer', 'editer', 'adminer']) {
      expect(await may(user, 'patch', `${KIND}/status`), user).toBe(false);
    }
    expect(await may('stranger', 'list', KIND)).toBe(false);
    await expectHelm(plane, { major: 4, namespace, args: ['uninstall', 'demo'] });
  });
});
