import { gunzipSync } from 'node:zlib';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { serializeLedger } from '../../../operator/lifecycle/ledger.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { aServingLedger } from '../../support/ledger-builders.ts';
import { runCli } from '../../support/run-cli.ts';
import {
  anEventObject,
  aServiceObject,
  COLLECTING,
  SERVING,
} from '../../support/service-objects.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { storeService } from './stored-service.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)('reading services of a real API server', () => {
  beforeAll(() => installDefinitions(plane));

  async function make(path: string, body: unknown): Promise<void> {
    const { status, body: answer } = await plane.request({ method: 'POST', path, body });
    expect([status, answer]).toEqual([201, answer]);
  }

  async function aNamespace(): Promise<{
    namespace: string;
    run: (...words: string[]) => ReturnType<typeof runCli>;
  }> {
    const { name: namespace } = await plane.namespace();
    return {
      namespace,
      run: (...words) => runCli(plane.kubeconfigPath, [...words, '-n', namespace]),
    };
  }

  async function storeLedger(namespace: string): Promise<void> {
    await make(`/api/v1/namespaces/${namespace}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'vision-evidence', labels: { 'layercache.io/role': 'ledger' } },
      data: { 'ledger.json': serializeLedger(aServingLedger()) },
    });
  }

  test('status, explain, evidence, top and rollout status tell what is stored', async () => {
    const { namespace, run } = await aNamespace();
    await storeService(plane, namespace, aServiceObject({ status: SERVING }));
    await storeLedger(namespace);
    const event = anEventObject('RolloutPromoted', 'The candidate serves.', 60) as unknown as {
      metadata: Record<string, unknown>;
      regarding: Record<string, unknown>;
    };
    await make(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`, {
      ...event,
      metadata: { ...event.metadata, namespace },
      regarding: { ...event.regarding, namespace },
    });

    const status = await run('status', 'vision');
    expect(status).toMatchObject({ err: '', exitCode: 0 });
    expect(status.out).toContain('61.3% of requests leave early');
    expect(status.out).toMatch(/RolloutPromoted +The candidate serves\./);

    const explained = await run('explain', 'vision');
    expect(explained).toMatchObject({ err: '', exitCode: 0 });
    expect(explained.out).toContain('exits are on (Serving)');
    expect(explained.out).toContain('100 rows a second, as the operator measured last');

    const evidence = JSON.parse((await run('evidence', 'vision', '-o', 'json')).out) as {
      tracks: { rows: unknown[] }[];
    };
    expect(evidence.tracks[0]?.rows).toHaveLength(120);
    expect((await run('top')).out).toMatch(/vision +True +2 +100 +Serving/);
    expect((await run('rollout', 'status', 'vision')).out).toContain('Promoted');
    for (const format of ['json', 'yaml', 'name'])
      expect((await run('status', 'vision', '-o', format)).exitCode).toBe(0);
  });

  test('a name that is not there gets the nearest one, here or elsewhere', async () => {
    const { namespace, run } = await aNamespace();
    await storeService(plane, namespace, aServiceObject({ status: COLLECTING }));
    const near = await run('status', 'visoin');
    expect(near).toMatchObject({ out: '', exitCode: 2 });
    expect(near.err).toBe(
      `There is no such CachedModelService (${namespace}/visoin): the API server has none of that name. Did you mean vision? [ServiceNotFound]\n`,
    );
    const other = await aNamespace();
    await storeService(plane, other.namespace, {
      ...aServiceObject({ status: COLLECTING }),
      metadata: { name: 'elsewhere' },
    });
    expect((await run('explain', 'elsewhere')).err).toContain(`add -n ${other.namespace}.`);
    expect((await run('explain', 'Alrm')).err).toContain('Did you mean reason Alarm?');
    expect((await run('explain', 'Alarm')).out).toContain('Audited answers are over the budget');
  });

  test('who may not read is told which right is missing, and who may read a part sees it', async () => {
    const { namespace } = await aNamespace();
    await storeService(plane, namespace, aServiceObject({ status: SERVING }));
    const nobody = await plane.userKubeconfig({ user: 'nobody' });
    const refused = await runCli(nobody, ['status', 'vision', '-n', namespace]);
    expect(refused).toMatchObject({ out: '', exitCode: 1 });
    expect(refused.err).toContain('[ApiForbidden]');
    expect(refused.err).toContain('cannot get resource "cachedmodelservices"');
    const doctor = await runCli(nobody, ['doctor', '-n', namespace]);
    expect(doctor.exitCode).toBe(4);
    expect(doctor.out).toContain('this user may not get cachedmodelservices.layercache.io');
    expect(doctor.out).toContain('this user may not read definitions');
  });

  test('the doctor knows the definitions of the cluster as its own, and that no operator runs', async () => {
    const { namespace, run } = await aNamespace();
    await storeService(plane, namespace, aServiceObject({ status: SERVING }));
    await storeLedger(namespace);
    const { out, exitCode } = await run('doctor');
    expect(out).toMatch(
      /ok +Definitions +cachedmodelservices.layercache.io serves v1alpha1, as this program knows it/,
    );
    expect(out).toMatch(/ok +Rights +this user may do all/);
    expect(out).toContain('1,000 audited rows for a first certificate');
    expect(exitCode).toBe(out.includes('WRONG') ? 4 : 0);
  });

  test('a bundle holds what explains a service and no secret of any kind', async () => {
    const canary = 'Canary-4711-value';
    const { namespace, run } = await aNamespace();
    await storeService(
      plane,
      namespace,
      aServiceObject({
        status: SERVING,
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': canary },
        spec: {
          backbone: { uri: `https://user:${canary}@models.example.com/m.onnx?sig=${canary}` },
          podTemplate: {
            spec: { containers: [{ name: 'server', env: [{ name: 'KEY', value: canary }] }] },
          },
        },
      }),
    );
    await storeLedger(namespace);
    await make(`/api/v1/namespaces/${namespace}/secrets`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'vision-admin-g1', labels: { 'layercache.io/service': 'vision' } },
      stringData: { key: canary },
    });
    await make(`/api/v1/namespaces/${namespace}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'vision-policy' },
      data: { 'policy.json': JSON.stringify({ epoch: 3, candidate: { stickyKey: canary } }) },
    });
    const folder = mkdtempSync(join(tmpdir(), 'layercache-bundle-'));
    try {
      const path = join(folder, 'out.tar.gz');
      expect((await run('bundle', 'vision', '--list')).out).toBe('');
      const { out, err, exitCode } = await run('bundle', 'vision', '--to', path);
      expect({ out, exitCode }).toEqual({ out: `${path}\n`, exitCode: 0 });
      const archive = gunzipSync(readFileSync(path)).toString('latin1');
      expect(archive).not.toContain(canary);
      expect(archive).not.toContain(Buffer.from(canary).toString('base64'));
      for (const file of [
        'service.json',
        'events.json',
        'vision-policy/policy.json',
        'vision-evidence/ledger.json',
        'about.json',
      ]) {
        expect(err).toContain(file);
        expect(archive).toContain(file);
      }
      expect(archive).toContain('"epoch": 3');
      const unwritable = await run('bundle', 'vision', '--to', join(folder, 'no', 'such.tar.gz'));
      expect(unwritable.err).toContain('[FolderUnwritable]');
      expect(unwritable.err).not.toContain('ENOENT');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('completion knows the services of the namespace', async () => {
    const { namespace, run } = await aNamespace();
    await storeService(plane, namespace, aServiceObject({ status: COLLECTING }));
    const { out } = await runCli(plane.kubeconfigPath, [
      '__complete',
      '--',
      'status',
      '-n',
      namespace,
      'vi',
    ]);
    expect(out).toBe('vision\n:4\n');
    expect((await run('__complete', '--', 'status', 'zz')).out).toBe(':4\n');
  });

  test('a wrong context, a kubeconfig that is missing or broken, and a silent server are one sentence each', async () => {
    const { namespace } = await aNamespace();
    const folder = mkdtempSync(join(tmpdir(), 'layercache-kubeconfig-'));
    try {
      const admin = readFileSync(plane.kubeconfigPath, 'utf8');
      const names =
        /current-context: *(\S+)/.exec(admin) ?? /"current-context": *"([^"]+)"/.exec(admin);
      const wrong = await runCli(plane.kubeconfigPath, [
        'status',
        'x',
        '--context',
        `${names?.[1] ?? ''}x`,
      ]);
      expect(wrong.exitCode).toBe(2);
      expect(wrong.err).toContain(`Did you mean --context ${names?.[1] ?? '?'}?`);
      const missing = await runCli(join(folder, 'none'), ['status', 'x']);
      expect(missing.err).toBe(
        `The kubeconfig cannot be used (${join(folder, 'none')}): there is no such file. Name a file with --kubeconfig or in KUBECONFIG. [KubeconfigUnreadable]\n`,
      );
      writeFileSync(join(folder, 'broken'), '{{{');
      const broken = await runCli(join(folder, 'broken'), ['status', 'x']);
      expect(broken).toMatchObject({ out: '', exitCode: 2 });
      expect(broken.err).toContain('[KubeconfigUnreadable]');
      writeFileSync(
        join(folder, 'silent'),
        admin.replaceAll(/https:\/\/127\.0\.0\.1:\d+/g, 'https://127.0.0.1:1'),
      );
      const silent = await runCli(join(folder, 'silent'), ['status', 'x', '-n', namespace]);
      expect(silent.err).toBe(
        'The API server does not answer (https://127.0.0.1:1): nothing listens there. Check the network, and the address in the kubeconfig. [ApiUnreachable]\n',
      );
      expect(silent.exitCode).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
