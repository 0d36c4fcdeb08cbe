// Runbooks, followed to the letter in the states that fire their alerts, on a real node: what a person reads there is the cause.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { whyUnavailable } from '../harness/availability.ts';
import { killInPod } from '../pods/node-processes.ts';
import { placeholdersOf, runbookCommands } from './diagnosis.ts';
import { loadReleaseImages } from './release-images.ts';
import { openShell, type Shell } from './shell.ts';

const unavailable = await whyUnavailable('node');
const INSTALL = 'charts/layercache/docs/install.md';
const LONG_MS = 910_000;
const SETTLED_MS = 300_000;

describe.skipIf(unavailable !== null)('a person on call', () => {
  let node: OwnRealNode;
  let shell: Shell;

  beforeAll(async () => {
    node = await startRealNode({ devices: {} });
    shell = openShell({ kubeconfigPath: node.kubeconfigPath });
    await loadReleaseImages(node, 'docker.io');
    await shell.block(`${INSTALL}#the-operator`);
    await shell.block(`${INSTALL}#a-first-service`);
  }, LONG_MS);
  afterAll(async () => {
    (shell as Shell | undefined)?.close();
    await (node as OwnRealNode | undefined)?.stop();
  });

  /** What the commands of its diagnosis print; one that wants a pod is left out where there is none. */
  const diagnosis = async (alert: string, service = 'fashion'): Promise<string> => {
    const fill = await placeholdersOf(node, service);
    const commands = runbookCommands(alert).looks.map(fill);
    const said: string[] = [];
    for (const command of commands.filter((one) => !/\bPOD\b/.test(one))) {
      said.push(await shell.run(command));
    }
    return said.join('\n');
  };
  const untilRead = (alert: string, causes: readonly RegExp[], service?: string): Promise<void> =>
    eventually(async () => {
      const said = await diagnosis(alert, service);
      for (const cause of causes) expect(said).toMatch(cause);
    }, SETTLED_MS);

  test(
    'switches exits off as every runbook of accuracy says, and reads that they are off on purpose',
    async () => {
      const fill = await placeholdersOf(node);
      const [off = ''] = runbookCommands('LayercacheBudgetBurnFast').changes.map(fill);
      await shell.run(off);
      await untilRead('LayercacheExitsOff', [
        /Reason: +Disabled[^]*Type: +ExitsActive/,
        /Disabled/,
      ]);
      await shell.run(off.replace('Disabled', 'Active'));
      await untilRead('LayercacheExitsOff', [/Reason: +CollectingSamples[^]*Type: +ExitsActive/]);
    },
    LONG_MS,
  );

  test(
    'reads in the log of the pod why its engine started again',
    async () => {
      const { stdout } = await node.kubectl([
        ...['-n', 'ml', 'get', 'pods', '-l', 'layercache.io/service=fashion'],
        ...['-o', 'jsonpath={.items[0].metadata.uid}'],
      ]);
      expect(killInPod(stdout, 'engine-host')).toBe(true);
      await untilRead('LayercacheEngineRestarting', [/"code":"signal".*"msg":"engine status"/]);
    },
    LONG_MS,
  );

  test(
    'reads of a service that is not ready which pod, and what keeps it',
    async () => {
      await node.kubectl(['-n', 'ml', 'apply', '-f', '-'], {
        input: JSON.stringify({
          ...{ apiVersion: 'layercache.io/v1alpha1', kind: 'CachedModelService' },
          metadata: { name: 'broken' },
          spec: {
            backbone: { uri: 'file:///models/none.onnx' },
            accuracy: { maxDisagreement: '1%' },
          },
        }),
      });
      const reason = /Reason: +BackboneFetchFailed/;
      const failure = /Last Failure:[^]*broken-[^]*none\.onnx/;
      const line = /^\{.*none\.onnx.*\}$/m;
      await untilRead('LayercacheServiceNotReady', [reason, failure, line], 'broken');
    },
    LONG_MS,
  );

  test(
    'reads that no operator is wanted, that the lease is old, and starts it again',
    async () => {
      const operator = '-n layercache-system deployment/layercache-operator';
      await shell.run(`kubectl scale ${operator} --replicas=0`);
      await untilRead('LayercacheOperatorDown', [/Replicas: +0 desired/]);
      expect(await diagnosis('LayercacheNoLeader')).toMatch(
        /^layercache-operator +<none> +\d{4}-/m,
      );
      await shell.run(`kubectl scale ${operator} --replicas=1`);
      await untilRead('LayercacheOperatorDown', [/1\/1 +Running/, /Replicas: +1 desired/]);
      const led = / \S*layercache-operator\S+ +\d{4}-\d\d-\d\dT[\d:.]+Z$/m;
      await untilRead('LayercacheNoLeader', [led, /"level":/]);
    },
    LONG_MS,
  );
});
