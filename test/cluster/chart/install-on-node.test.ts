// From `helm install` to an answer, on a real node: what NOTES.txt says is what is run here. The release and its services
// have a namespace each, and both enforce Pod Security restricted. By Helm 3; the guides (cluster/docs) use Helm 4.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BOARDS } from '../../../charts/generate/dashboards/boards.ts';
import type { PolicyRule } from '../../../operator/plan/rbac.ts';
import { planTrainingJob } from '../../../operator/plan/training-job.ts';
import { askBoard } from '../../boards/ask-board.ts';
import { prometheusMissing, type Prometheus } from '../../boards/prometheus.ts';
import { watchRelease } from '../../boards/prometheus-on-node.ts';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
import type { OwnRealNode } from '../../support/real-node.ts';
import { CHART, only, renderObjects } from '../../unit/charts/helm.ts';
import { aServiceToPlan } from '../../unit/operator/plan/builders.ts';
import { whyUnavailable } from '../harness/availability.ts';
import { startTraffic } from '../loop/example-traffic.ts';
import { rightsOf, rightsUsed } from '../operator/used-rights.ts';
import { readObject } from '../pods/node-objects.ts';
import { nodeValues, OPERATOR, startChartNode } from './chart-on-node.ts';
import { definitionOf, DEFINITIONS, expectHelm } from './release.ts';

const unavailable = await whyUnavailable('node');
const prometheusUnavailable = prometheusMissing ?? (await whyUnavailable('kinds'));
/** The next leader is not waited for longer than needed. */
const SHORT_LEASE = {
  LAYERCACHE_LEASE_DURATION: '5s',
  LAYERCACHE_LEASE_RENEW_DEADLINE: '4s',
};

describe.skipIf(unavailable !== null)('the chart on a real node', () => {
  let node: OwnRealNode;
  /** Of the release. */
  let home: string;
  /** Of its services. */
  let models: string;
  /** There from before the first service on; null where none can be. */
  let prometheus: Prometheus | null = null;
  /** Seconds since 1970. */
  let watchedFrom = 0;

  beforeAll(async () => {
    const options = { devices: {}, auditLog: true };
    ({ node, home, models } = await startChartNode(options, prometheusUnavailable === null));
  });
  afterAll(async () => {
    await prometheus?.close();
    await (node as OwnRealNode | undefined)?.stop();
  });

  const podsIn = async (namespace: string, path: string): Promise<readonly string[]> => {
    const words = ['get', 'pods', '-n', namespace, '-o'];
    const { stdout } = await node.kubectl([
      ...words,
      `jsonpath={range .items[*]}${path}{"\\n"}{end}`,
    ]);
    return stdout.trim().split('\n');
  };

  test('the sample of the notes becomes Ready by the commands of the notes', async () => {
    const startedMs = performance.now();
    const values = {
      ...nodeValues(models, SHORT_LEASE),
      metrics: { serviceMonitor: { enabled: true, interval: '1s' } },
      tests: { timeout: '3m' },
    };
    const notes = await expectHelm(node, {
      ...{ major: 3, namespace: home, values, deadlineMs: 180_000 },
      args: ['install', 'demo', CHART, '--wait', '--timeout', '2m'],
    });
    const installedMs = performance.now();
    if (prometheusUnavailable === null) prometheus = await watchRelease(node, home);
    watchedFrom = Date.now() / 1000;
    const watchedMs = performance.now();
    const [, manifest = ''] = /<<'EOF'\n([\s\S]*?)\nEOF/.exec(notes) ?? [];
    const [, apply = ''] = /^kubectl (apply .*) <<'EOF'$/m.exec(notes) ?? [];
    expect(apply).toContain(`-n ${models}`);
    const applied = await node.kubectl(apply.split(' '), { input: manifest });
    expect(applied.stderr).toBe('');
    const [, wait = ''] = /^kubectl (wait .*)$/m.exec(notes) ?? [];
    const waited = await node.kubectl(wait.split(' '), { deadlineMs: 310_000 });
    expect(waited.stdout).toContain('cachedmodelservice.layercache.io/fashion condition met');
    const readyMs = performance.now();
    const seconds = (fromMs: number, toMs: number) => ((toMs - fromMs) / 1000).toFixed(1);
    const [helmS, sampleS] = [seconds(startedMs, installedMs), seconds(watchedMs, readyMs)];
    process.stderr.write(
      `chart install to the sample Ready: helm ${helmS} s, sample ${sampleS} s\n`,
    );
  }, 600_000);

  test('two operators are ready and one leads', async () => {
    expect(
      await podsIn(home, '{.status.phase} {.status.containerStatuses[0].restartCount}'),
    ).toEqual(['Running 0', 'Running 0']);
    await eventually(async () => {
      const lease = await node.kubectl([
        ...['get', 'lease', '-n', home, 'demo-operator', '-o'],
        'jsonpath={.spec.holderIdentity}',
      ]);
      expect(lease.stdout).toMatch(/^demo-layercache-operator-/);
    }, NODE_WAIT_MS);
  });

  test.skipIf(prometheusUnavailable !== null)(
    'a Prometheus that finds these pods by the monitors of the chart fills every panel for which a service that serves is enough',
    async () => {
      const watching = prometheus!;
      const at = { kind: 'Service', namespace: models, name: 'fashion' } as const;
      const { spec } = await readObject<{ spec: { clusterIP: string } }>(node, at);
      const endpoint = { host: spec.clusterIP, port: 80 };
      const traffic = await startTraffic(node, endpoint, { model: 'fashion', rate: 20 });
      onTestFinished(() => traffic.stop());
      await eventually(async () => {
        await pause(2_000);
        const interval = { from: watchedFrom, to: Date.now() / 1000 };
        const faults: string[] = [];
        for (const board of BOARDS) {
          const life = { prometheus: watching, interval, played: ['Always'] as const };
          const found = await askBoard(board, life);
          faults.push(...found.map((fault) => `${board.uid}: ${fault}`));
        }
        expect(faults).toEqual([]);
      }, NODE_WAIT_MS);
      expect(traffic.failures).toEqual([]);
      // Whose pods they are is what the monitors say, by names that people know from their own.
      const scraped = await watching.at('up == 1', Date.now() / 1000);
      const labels = scraped.map(({ metric: { job, namespace, container } }) =>
        [job, namespace, container].join(' '),
      );
      expect([...labels].sort()).toEqual(
        [
          `${home}/demo-layercache-models ${models} server`,
          `demo-layercache-operator-metrics ${home} operator`,
          `demo-layercache-operator-metrics ${home} operator`,
        ].sort(),
      );
    },
    180_000,
  );

  test('Pod Security restricted is enforced in both namespaces, and admits trainers too', async () => {
    for (const namespace of [home, models]) {
      const { code, stderr } = await node.kubectl([
        'run',
        'odd',
        '-n',
        namespace,
        '--image=x',
        '--privileged',
        '--restart=Never',
      ]);
      expect(code).not.toBe(0);
      expect(stderr).toContain('violates PodSecurity "restricted:latest": privileged');
    }
    const job = planTrainingJob({
      ...{ service: { ...aServiceToPlan(), namespace: models }, store: null, allowedHosts: [] },
      ...{ adminGeneration: 1, attempt: 1, job: {} },
      defaults: {
        ...{ image: `${OPERATOR}:chart`, imagePullPolicy: 'Never', imagePullSecretNames: [] },
        resources: { requests: { cpu: '20m' }, limits: { memory: '64Mi' } },
      },
    });
    // Its service is none of this cluster, so nothing is its owner; it runs under an account that is there.
    const metadata = { ...job.metadata, ownerReferences: [] };
    const spec = { ...job.spec!.template.spec, serviceAccountName: 'default' };
    const template = { ...job.spec!.template, spec };
    const input = JSON.stringify({ ...job, metadata, spec: { ...job.spec, template } });
    const created = await node.kubectl(['create', '-f', '-'], { input });
    expect(created.stderr).toBe('');
    await eventually(async () => {
      const trainers = await podsIn(models, '{.metadata.labels.app\\.kubernetes\\.io/component}');
      expect(trainers).toContain('trainer');
    }, NODE_WAIT_MS);
    await node.kubectl(['delete', 'job', '-n', models, '--all', '--wait=false']);
  });

  test('helm test makes one real inference by both protocols with the rights that it has, and leaves only its own pod', async () => {
    const args = ['test', 'demo', '--logs', '--timeout', '4m'];
    const said = await expectHelm(node, { major: 3, namespace: home, args, deadlineMs: 250_000 });
    expect(said).toContain('ok    a v1 request gets the same answer: 10 numbers');
    expect(said).toContain('ok    every pod has acknowledged the policy');
    expect(said).toContain('ok    the service is deleted: gone');
    expect(said).toMatch(/Phase:\s+Succeeded/);

    const rules = only(await renderObjects(), 'Role', 'demo-layercache-smoke-test')
      .rules as readonly PolicyRule[];
    const given = rightsOf('test', rules);
    const account = `system:serviceaccount:${home}:demo-layercache-smoke-test`;
    const calls = node
      .auditEvents()
      .filter(({ user, objectRef }) => user.username === account && objectRef !== undefined);
    const used = calls.flatMap((call) => rightsUsed(call, () => 'test', new Set(given)));
    expect([...new Set(used)].sort()).toEqual([...given].sort());
    // Its pod drains first. That of the test itself stays, with what it said.
    await eventually(async () => {
      for (const namespace of [home, models]) {
        for (const kind of ['deployment', 'cachedmodelservice', 'role', 'serviceaccount']) {
          const { stdout } = await node.kubectl(['get', kind, '-n', namespace, '-o', 'name']);
          expect(stdout, kind).not.toContain('smoke');
        }
      }
      const left = [home, models].map((namespace) => podsIn(namespace, '{.metadata.name}'));
      expect((await Promise.all(left)).flat().filter((name) => name.includes('smoke'))).toEqual([
        'demo-layercache-smoke-test',
      ]);
    }, NODE_WAIT_MS);
  });

  test('the sample outlives the release', async () => {
    await expectHelm(node, { major: 3, namespace: home, args: ['uninstall', 'demo', '--wait'] });
    expect(await definitionOf(node, DEFINITIONS[0]!)).not.toBeNull();
    const { stdout } = await node.kubectl([
      ...['get', 'pods', '-n', models, '-l', 'layercache.io/service=fashion', '-o'],
      'jsonpath={.items[*].status.containerStatuses[0].ready}',
    ]);
    expect(stdout).toBe('true');
  });
});
