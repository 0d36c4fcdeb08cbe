// The guides from the first command to the last, on a real node: what runs is what the documents say. Each test goes on from
// where the one before it ended.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
import { whyUnavailable } from '../harness/availability.ts';
import {
  diagnosisCommands,
  expectReading,
  placeholdersOf,
  prepareForDiagnosis,
} from './diagnosis.ts';
import { startNodeAndShell, type NodeAndShell } from './node-and-shell.ts';

const unavailable = await whyUnavailable('node');
const INSTALL = 'charts/layercache/docs/install.md';
const UPGRADE = 'charts/layercache/docs/upgrade.md';
const LONG_MS = 310_000;

describe.skipIf(unavailable !== null)('the guides on a real node', () => {
  let started: NodeAndShell | null = null;
  let { node, shell } = {} as NodeAndShell;

  beforeAll(async () => {
    started = await startNodeAndShell();
    ({ node, shell } = started);
  });
  afterAll(() => started?.stop());

  test(
    'the operator installs and passes its test',
    async () => {
      const said = await shell.block(`${INSTALL}#the-operator`);
      expect(said).toContain('ok    every pod has acknowledged the policy');
    },
    LONG_MS,
  );

  test(
    'a first service becomes Ready, answers, and says what it is doing',
    async () => {
      const applied = await shell.block(`${INSTALL}#a-first-service`);
      expect(applied).toContain('cachedmodelservice.layercache.io/fashion condition met');
      const answer = await shell.block(`${INSTALL}#a-first-service/2`);
      expect(answer).toContain('"name":"image"');
      expect(answer).toMatch(/"outputs":\[\{"name":"logits".*"shape":\[1,10\]/);
      // Ready says that it answers; which policy it has and what exits are at follows when the operator has asked the pod.
      await eventually(async () => {
        const service = ['--namespace', 'ml', 'cachedmodelservice', 'fashion'];
        const { stdout } = await node.kubectl(['describe', ...service]);
        for (const later of ['CollectingSamples', 'PolicyPublished']) {
          expect(stdout).toContain(later);
        }
      }, NODE_WAIT_MS);
      const looked = await shell.block(`${INSTALL}#what-it-is-doing`);
      expect(looked).toMatch(/fashion +True +Serving +1 +CollectingSamples/);
      expect(looked).toContain('PolicyPublished');
      expect(looked).toContain('maxDisagreement');
    },
    LONG_MS,
  );

  test(
    'settings of most installations are taken, and kinds that the cluster lacks are said',
    async () => {
      const notes = await shell.block(`${INSTALL}#settings`);
      expect(notes).toContain('does not know monitoring.coreos.com/v1');
      const { stdout } = await node.kubectl([
        ...['get', 'networkpolicy,poddisruptionbudget,configmap', '--output', 'name'],
        ...['--namespace', 'layercache-system'],
      ]);
      for (const name of ['networkpolicy', 'poddisruptionbudget', 'layercache-dashboard-fleet']) {
        expect(stdout).toContain(name);
      }
    },
    LONG_MS,
  );

  test(
    'commands of runbooks and of pages of reasons run as they stand',
    async () => {
      await prepareForDiagnosis(node);
      const placeholders = await placeholdersOf(node);
      for (const { path, command } of diagnosisCommands()) {
        const script = placeholders(command);
        const { code, stdout, stderr } = await shell.attempt(script);
        if (command.includes(' logs -p ')) {
          expect(stderr).toContain('previous terminated container');
          continue;
        }
        expect(code, `${path}: ${script}\n${stderr}`).toBe(0);
        expectReading(script, stdout);
      }
      await shell.run(
        'kubectl -n ml patch cachedmodelservice fashion --type merge -p \'{"spec":{"exitMode":null,"autoscaling":null}}\'',
      );
      await shell.run(
        'kubectl -n ml wait --for=condition=Ready --timeout=2m cachedmodelservice/fashion',
      );
    },
    LONG_MS,
  );

  test(
    'an upgrade leaves services Ready, goes back, and goes on from Helm 3',
    async () => {
      const upgraded = await shell.block(`${UPGRADE}#with-helm`);
      expect(upgraded).toContain('cachedmodelservice.layercache.io/fashion condition met');
      const versions = await shell.block(`${UPGRADE}#with-helm/2`);
      expect(versions).toMatch(/^fashion +docker\.io\/layercache\/server:0\.1\.0$/m);
      expect(await shell.block(`${UPGRADE}#back`)).toContain('Rollback was a success');
      await shell.block(`${UPGRADE}#from-helm-3-to-helm-4`);
    },
    LONG_MS,
  );

  test(
    'a release that is uninstalled leaves its services answering',
    async () => {
      await shell.block(`${INSTALL}#uninstall`);
      expect(await shell.block(`${INSTALL}#a-first-service/2`)).toContain('"outputs"');
    },
    LONG_MS,
  );

  test(
    'with rights in some namespaces the operator may read these alone',
    async () => {
      const said = await shell.block(`${INSTALL}#rights-in-some-namespaces-only`);
      expect(said.trim().split('\n').at(-1)).toBe('yes');
      const account = 'system:serviceaccount:layercache-system:layercache-operator';
      const words = ['auth', 'can-i', 'list', 'pods', '--namespace', 'default', '--as', account];
      expect((await node.kubectl(words)).stdout.trim()).toBe('no');
      await shell.run('helm uninstall layercache --namespace layercache-system --wait');
    },
    LONG_MS,
  );

  test(
    'another release takes the definitions over, or has them applied',
    async () => {
      await shell.block(`${UPGRADE}#another-release-name`);
      await shell.block(`${UPGRADE}#another-release-name/2`);
      await shell.run('helm uninstall other --namespace layercache-other --wait');
    },
    LONG_MS,
  );

  test('the health check is added to what Argo CD has already', async () => {
    await shell.run(
      'kubectl create namespace argocd; kubectl create configmap argocd-cm -n argocd --from-literal=url=https://argocd',
    );
    await shell.block(`${INSTALL}#with-argo-cd-or-flux`);
    const { stdout } = await node.kubectl([
      ...['get', 'configmap', 'argocd-cm', '--namespace', 'argocd', '--output', 'json'],
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      data: {
        url: 'https://argocd',
        'resource.customizations.health.layercache.io_CachedModelService': readFileSync(
          'crds/samples/argocd/health.lua',
          'utf8',
        ),
      },
    });
  });

  test(
    'everything is gone when all is removed',
    async () => {
      await shell.block(`${INSTALL}#uninstall/2`);
      const { stdout } = await node.kubectl(['get', 'crd', '--output', 'name']);
      expect(stdout).not.toContain('layercache.io');
    },
    LONG_MS,
  );
});
