import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../operator/clock.ts';
import { createAdminKeys } from '../../../operator/fleet/identity/identities.ts';
import { createPodConnections } from '../../../operator/fleet/pod-connections.ts';
import { pullEvidence } from '../../../operator/fleet/pull-evidence.ts';
import { pullState } from '../../../operator/fleet/pull-state.ts';
import { pushPolicy } from '../../../operator/fleet/push-policy.ts';
import type { AppliedPolicy } from '../../bench/fleet/messages.ts';
import { startFleetProcesses } from '../../bench/fleet/simulated-fleet-processes.ts';
import { ROOT_KEY, SERVICE } from '../../support/admin-keys.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { startFakeApiServer } from '../../support/kube-fake-server.ts';
import { aPolicy } from '../../unit/crds/documents.ts';

const POD = { uid: 'pod-7', name: 's-1-abc', ip: '127.31.7.7', adminGeneration: 1 };

/** As kwok leaves it, cut down to what is read. */
const OBJECT = {
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: {
    ...{ name: POD.name, namespace: 'fleet-0', uid: POD.uid, resourceVersion: '1' },
    labels: { 'layercache.io/service': 's-1', 'app.kubernetes.io/component': 'server' },
  },
  spec: { volumes: [{ name: 'admin', secret: { secretName: 's-1-admin-g1' } }] },
  status: { phase: 'Running', podIP: POD.ip },
};

test('a pod of the API server answers at its address, to the operator alone, with the keys that it mounts', async () => {
  const server = await startFakeApiServer();
  onTestFinished(() => server.close());
  server.objects.set('fleet-0/s-1-abc', OBJECT);
  const { privateKey, certificate, peers } = createAdminKeys(
    ROOT_KEY,
    SERVICE,
    systemClock.nowMs(),
  );
  const secret = { 'tls.key': privateKey, 'tls.crt': certificate, 'peers.json': peers };
  const data = Object.fromEntries(
    Object.entries(secret).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
  server.always('call', (response) => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's-1-admin-g1' },
        data,
      }),
    );
  });
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const kubeconfigPath = join(folder, 'kubeconfig');
  writeFileSync(kubeconfigPath, server.kubeconfig);
  const fleet = await startFleetProcesses(kubeconfigPath, 1);
  onTestFinished(() => fleet.stop());
  const applied: AppliedPolicy[] = [];
  fleet.onApplied((one) => applied.push(one));

  const operator = createPodConnections(ROOT_KEY, systemClock).open(SERVICE.serviceUid, POD);
  onTestFinished(() => {
    operator.close();
  });
  await eventually(async () => {
    expect(await pullState(operator)).toMatchObject({ ok: true, value: { podUid: POD.uid } });
  }, 20_000);
  const stranger = createPodConnections(new Uint8Array(32), systemClock);
  const refused = stranger.open(SERVICE.serviceUid, POD);
  onTestFinished(() => {
    refused.close();
  });
  expect((await pullState(refused)).ok).toBe(false);

  const policy = aPolicy({
    ...{ epoch: 4, revision: 9, backboneDigest: BACKBONE_DIGEST, exitsEnabled: false },
    ...{ stable: null, candidate: null },
  });
  expect(await pushPolicy(operator, policy)).toMatchObject({
    ok: true,
    value: { result: 'Applied', epoch: 4, revision: 9 },
  });
  await eventually(() => {
    expect(applied).toMatchObject([
      { service: 'fleet-0/s-1', podUid: POD.uid, epoch: 4, revision: 9, exitsEnabled: false },
    ]);
  });
  fleet.traffic({ rowsPerSecond: 20, windowSeconds: 1, drifting: [] });
  await eventually(async () => {
    const pulled = await pullEvidence(operator, 0, false);
    expect(pulled.ok && pulled.value.answer.windows[0]?.served.rows).toEqual([20]);
  }, 10_000);
  const { pods, calls, evidenceLagMs } = await fleet.report();
  expect(pods).toBe(1);
  expect(calls['PUT /v1/policy']).toBe(1);
  expect(evidenceLagMs.length).toBeGreaterThan(0);
});
