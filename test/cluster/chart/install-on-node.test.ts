// From `helm install` to an answer, on a real node: what NOTES.txt says is what is run here. The release and its services
// have a namespace each, and both enforce Pod Security restricted. By Helm 3; the guides (cluster/docs) use Helm 4.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planTrainingJob } from '../../../operator/plan/training-job.ts';
import { eventually } from '../../support/eventually.ts';
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { CHART, only, renderObjects } from '../../unit/charts/helm.ts';
import { aServiceToPlan } from '../../unit/operator/plan/builders.ts';
import type { PolicyRule } from '../../../operator/plan/rbac.ts';
import { whyUnavailable } from '../harness/availability.ts';
import { operatorImage, serverImage } from '../harness/image/product-images.ts';
import { rightsOf, rightsUsed } from '../operator/used-rights.ts';
import { definitionOf, DEFINITIONS, expectHelm } from './release.ts';

const unavailable = await whyUnavailable('node');
const OPERATOR = 'localhost/layercache-operator';
const SERVER = 'localhost/layercache-server';
const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

const valuesFor = (models: string) => ({
  watchNamespaces: { [models]: true },
  operator: {
    replicas: 2,
    image: { repository: OPERATOR, tag: 'chart', pullPolicy: 'Never' },
    // A small node.
    resources: { requests: { cpu: '50m', memory: '64Mi' } },
    // The next leader is not waited for longer than needed.
    extraEnv: { LAYERCACHE_LEASE_DURATION: '5s', LAYERCACHE_LEASE_RENEW_DEADLINE: '4s' },
  },
  server: {
    image: { repository: SERVER, tag: 'chart', pullPolicy: 'Never' },
    gpuImage: { repository: SERVER, tag: 'chart' },
    defaults: {
      resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '1Gi' } },
    },
  },
  networkPolicy: { enabled: true },
  tests: { timeout: '3m' },
});

describe.skipIf(unavailable !== null)('the chart on a real node', () => {
  let node: OwnRealNode;
  /** Of the release. */
  let home: string;
  /** Of its services. */
  let models: string;

  beforeAll(async () => {
    node = await startRealNode({ devices: {}, auditLog: true });
    await node.loadImage(await serverImage({ name: `${SERVER}:chart` }));
    await node.loadImage(await operatorImage({ name: `${OPERATOR}:chart` }));
    home = (await node.namespace({ labels: RESTRICTED })).name;
    models = (await node.namespace({ labels: RESTRICTED })).name;
  }, 240_000);
  afterAll(() => (node as OwnRealNode | undefined)?.stop());

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
    const notes = await expectHelm(node, {
      ...{ major: 3, namespace: home, values: valuesFor(models), deadlineMs: 180_000 },
      args: ['install', 'demo', CHART, '--wait', '--timeout', '2m'],
    });
    const installedMs = performance.now();
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
    process.stderr.write(
      `chart install to the sample Ready: ${seconds(startedMs, readyMs)} s (helm ${seconds(startedMs, installedMs)} s, sample ${seconds(installedMs, readyMs)} s)\n`,
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
    }, 30_000);
  });

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
    }, 30_000);
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
    }, 60_000);
  }, 260_000);

  test('the sample outlives the release', async () => {
    await expectHelm(node, { major: 3, namespace: home, args: ['uninstall', 'demo', '--wait'] });
    expect(await definitionOf(node, DEFINITIONS[0]!)).not.toBeNull();
    const { stdout } = await node.kubectl([
      ...['get', 'pods', '-n', models, '-l', 'layercache.io/service=fashion', '-o'],
      'jsonpath={.items[*].status.containerStatuses[0].ready}',
    ]);
    expect(stdout).toBe('true');
  }, 130_000);
});
