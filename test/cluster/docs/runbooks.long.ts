// Runbooks, followed to the letter in the states that fire their alerts, on a real node: what a person reads there is the cause.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { whyUnavailable } from '../harness/availability.ts';
import { killInPod, shutPortOfPod } from '../pods/node-processes.ts';
import { storedPolicy } from '../pods/stored-policy.ts';
import { placeholdersOf, runbookCommands } from './diagnosis.ts';
import { startOnCall, type OnCall } from './on-call.ts';

const unavailable = await whyUnavailable('node');
const LONG_MS = 910_000;
const ADMIN_PORT = 8081;

describe.skipIf(unavailable !== null)('a person on call', () => {
  let onCall: OnCall;
  let { node, shell, diagnosis, untilRead } = {} as OnCall;

  beforeAll(async () => {
    onCall = await startOnCall();
  }, LONG_MS);
  beforeEach(() => {
    ({ node, shell, diagnosis, untilRead } = onCall);
  });
  afterAll(() => (onCall as OnCall | undefined)?.stop());

  const ml = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await node.kubectl(['-n', 'ml', ...args]);
    expect(code, `${args.join(' ')}\n${stderr}`).toBe(0);
    return stdout;
  };
  const SERVERS = ['-l', 'layercache.io/service=fashion,app.kubernetes.io/component=server'];
  const podUid = (): Promise<string> =>
    ml('get', 'pods', ...SERVERS, '-o', 'jsonpath={.items[0].metadata.uid}');

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
      expect(killInPod(await podUid(), 'engine-host')).toBe(true);
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
      await untilRead('LayercacheServiceNotReady', [reason, failure, line], { service: 'broken' });
    },
    LONG_MS,
  );

  test(
    'reads which pod is behind while its admin port is shut, and that it follows once it is open',
    async () => {
      const fill = await placeholdersOf(node);
      const [off = ''] = runbookCommands('LayercacheBudgetBurnFast').changes.map(fill);
      const open = shutPortOfPod(await podUid(), ADMIN_PORT);
      try {
        await shell.run(off);
        const named = [/ReplicaUnreachable/, /fashion-[a-z0-9]+-[a-z0-9]+/];
        await untilRead('LayercachePolicySkew', named);
        await untilRead('LayercacheEvidenceStale', named);
      } finally {
        open();
      }
      await shell.run(off.replace('Disabled', 'Active'));
      await untilRead('LayercachePolicySkew', [/Reason: +AllReplicas[^]*Type: +PolicyApplied/]);
    },
    LONG_MS,
  );

  test(
    'reads that the operator may not write, which right is missing, and that it goes on with it',
    async () => {
      const role = ['clusterrole', 'layercache-operator'];
      const { stdout } = await node.kubectl(['get', ...role, '-o', 'json']);
      const whole = JSON.parse(stdout) as { rules: { resources: string[]; verbs: string[] }[] };
      const rules = whole.rules.map((rule) =>
        rule.resources.includes('deployments')
          ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'patch') }
          : rule,
      );
      expect(rules).not.toEqual(whole.rules);
      const grant = (given: unknown): Promise<unknown> =>
        node.kubectl(['patch', ...role, '--type=merge', '-p', JSON.stringify({ rules: given })]);
      await grant(rules);
      await ml('scale', 'cms', 'fashion', '--replicas=2');
      const cause = /may not patch deployments: .* cannot patch resource "deployments"/;
      await untilRead('LayercacheReconcileErrors', [/Reason: +Forbidden/, cause]);
      await grant(whole.rules);
      await untilRead('LayercacheServiceNotReady', [/Message: +2 of 2 pods ready\./]);
      await ml('scale', 'cms', 'fashion', '--replicas=1');
      await untilRead('LayercacheServiceNotReady', [/Message: +1 of 1 pod ready\./]);
    },
    LONG_MS,
  );

  test(
    'reads why a pod refused a policy that somebody wrote by hand, and that the operator writes it again',
    async () => {
      const operator = ['-n', 'layercache-system', 'scale', 'deployment/layercache-operator'];
      await node.kubectl([...operator, '--replicas=0']);
      const stored = await storedPolicy(node, { namespace: 'ml', name: 'fashion' });
      if (!stored.ok) throw new Error(stored.message);
      const foreign = {
        ...stored.value,
        revision: stored.value.revision + 1,
        model: 'another',
      };
      const patch = JSON.stringify({ data: { 'policy.json': JSON.stringify(foreign) } });
      await ml('patch', 'configmap', 'fashion-policy', '--type=merge', '-p', patch);
      await untilRead('LayercachePolicyRejected', [
        /^\{.*"code":"ModelMismatch".*"msg":"policy rejected"\}$/m,
      ]);
      await node.kubectl([...operator, '--replicas=1']);
      await eventually(async () => {
        const now = await storedPolicy(node, { namespace: 'ml', name: 'fashion' });
        expect(now).toMatchObject({ value: { model: stored.value.model } });
      }, 120_000);
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
