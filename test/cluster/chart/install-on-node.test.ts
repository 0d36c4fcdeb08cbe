// From `helm install` to an answer, on a real node: what NOTES.txt says is what is run here.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { CHART } from '../../unit/charts/helm.ts';
import { whyUnavailable } from '../harness/availability.ts';
import { operatorImage, serverImage } from '../harness/image/product-images.ts';
import { definitionOf, DEFINITIONS, expectHelm } from './release.ts';

const unavailable = await whyUnavailable('node');
const OPERATOR = 'localhost/layercache-operator';
const SERVER = 'localhost/layercache-server';
const VALUES = {
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
};

describe.skipIf(unavailable !== null)('the chart on a real node', () => {
  let node: OwnRealNode;
  let namespace: string;
  let notes: string;

  beforeAll(async () => {
    node = await startRealNode({ devices: {} });
    await node.loadImage(await serverImage({ name: `${SERVER}:chart` }));
    await node.loadImage(await operatorImage({ name: `${OPERATOR}:chart` }));
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    namespace = (await node.namespace({ labels })).name;
    const args = ['install', 'demo', CHART, '--wait', '--timeout', '2m'];
    const deadlineMs = 180_000;
    notes = await expectHelm(node, { major: 4, namespace, args, values: VALUES, deadlineMs });
  }, 240_000);
  afterAll(() => (node as OwnRealNode | undefined)?.stop());

  test('two operators are ready and one leads, under Pod Security restricted', async () => {
    const { stdout } = await node.kubectl([
      ...['get', 'pods', '-n', namespace, '-o'],
      'jsonpath={range .items[*]}{.status.phase} {.status.containerStatuses[0].restartCount}{"\\n"}{end}',
    ]);
    expect(stdout.trim().split('\n')).toEqual(['Running 0', 'Running 0']);
    await eventually(async () => {
      const lease = await node.kubectl([
        ...['get', 'lease', '-n', namespace, 'demo-operator', '-o'],
        'jsonpath={.spec.holderIdentity}',
      ]);
      expect(lease.stdout).toMatch(/^demo-layercache-operator-/);
    }, 30_000);
  });

  test('helm test makes one real inference by both protocols and leaves nothing', async () => {
    const args = ['test', 'demo', '--logs', '--timeout', '4m'];
    const said = await expectHelm(node, { major: 4, namespace, args, deadlineMs: 250_000 });
    expect(said).toContain('ok    a v1 request gets the same answer: 10 numbers');
    expect(said).toContain('ok    every pod has acknowledged the policy');
    expect(said).toContain('ok    the service is deleted: gone');
    expect(said).toMatch(/Phase:\s+Succeeded/);
    // Its pod drains first.
    await eventually(async () => {
      for (const kind of ['pod', 'cachedmodelservice', 'role', 'serviceaccount']) {
        const { stdout } = await node.kubectl(['get', kind, '-n', namespace, '-o', 'name']);
        expect(stdout, kind).not.toContain('smoke');
      }
    }, 60_000);
  }, 260_000);

  test('the sample of the notes becomes Ready by the commands of the notes, and outlives the release', async () => {
    const [, manifest = ''] = /<<'EOF'\n([\s\S]*?)\nEOF/.exec(notes) ?? [];
    const applied = await node.kubectl(['apply', '-n', namespace, '-f', '-'], { input: manifest });
    expect(applied.stderr).toBe('');
    const [, wait = ''] = /^kubectl (wait .*)$/m.exec(notes) ?? [];
    const waited = await node.kubectl(wait.split(' '), { deadlineMs: 310_000 });
    expect(waited.stdout).toContain('cachedmodelservice.layercache.io/fashion condition met');

    await expectHelm(node, { major: 4, namespace, args: ['uninstall', 'demo', '--wait'] });
    expect(await definitionOf(node, DEFINITIONS[0]!)).not.toBeNull();
    const { stdout } = await node.kubectl([
      ...['get', 'pods', '-n', namespace, '-l', 'layercache.io/service=fashion', '-o'],
      'jsonpath={.items[*].status.containerStatuses[0].ready}',
    ]);
    expect(stdout).toBe('true');
  }, 330_000);
});
