// A detector whose budget bounds F1 loss. The operator certifies it among simulated pods, since twenty blocks of evidence take longer
// than a test may; what it wrote lies in a real API server, and is read there as people read it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../operator/kube/api.ts';
import { createLoop, type LoopWorld } from '../../faults/loop/loop-world.ts';
import { changeWindows } from '../../faults/loop/loop-pod.ts';
import { conditionOf, find } from '../../faults/sim/services.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { runCli, type CliResult } from '../../support/run-cli.ts';
import { kubectlIn, type Kubectl } from '../harness/kubectl-in.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { storeService } from './stored-service.ts';

const plane = await sharedControlPlane();
const HOUR = 3_600_000;
/** Of a row whose boxes are not the backbone's. */
const LOST_TENTHS = 3;

/** A service that serves by certified heads: an answer unlike the backbone's is three tenths wrong. */
async function servingDetector(): Promise<LoopWorld> {
  const loop = await createLoop({
    spec: {
      backbone: { uri: 'https://models.example.com/m.onnx', task: 'Detection' },
      accuracy: { maxDisagreement: '1%', agreement: 'F1' },
    },
  });
  await loop.until('two pods', () => loop.pods.size === 2, HOUR);
  for (const pod of loop.pods.values()) {
    changeWindows(pod, (window) => ({
      ...window,
      losses: Array.from({ length: 10 }, (_, i) =>
        i + 1 === LOST_TENTHS ? window.grid.dis : window.grid.dis.map(() => 0),
      ),
      exitLossTenths: window.exits.map(
        (exit) =>
          LOST_TENTHS *
          window.strata
            .filter((stratum) => stratum.exit === exit)
            .reduce((sum, { disagreements }) => sum + disagreements, 0),
      ),
    }));
  }
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 3 * HOUR);
  await loop.pass(120_000);
  return loop;
}

describe.skipIf(plane.unavailable !== null)('a service whose budget bounds F1 loss', () => {
  let loop: LoopWorld;
  let service: KubeObject;
  let kubectl: Kubectl;
  let read: (...words: string[]) => Promise<CliResult>;

  beforeAll(async () => {
    await installDefinitions(plane);
    loop = await servingDetector();
    service = find(loop.world, 'CachedModelService')!;
    const space = await plane.namespace();
    const namespace = space.name;
    await storeService(plane, namespace, service);
    const { data, metadata } = find(loop.world, 'ConfigMap', 'vision-evidence')!;
    const { name, labels } = metadata;
    const { status } = await plane.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data },
    });
    expect(status).toBe(201);
    kubectl = kubectlIn(plane, namespace);
    read = (...words) => runCli(plane.kubeconfigPath, [...words, '-n', namespace]);
    return () => space.delete();
  }, 240_000);
  afterAll(() => {
    (loop as LoopWorld | undefined)?.world.close();
  });

  test('is certified by the test of losses, with exits on', () => {
    expect(conditionOf(loop.world, 'ExitsActive')).toBe('True Serving');
    expect(conditionOf(loop.world, 'WithinBudget')).toBe('True Certified');
    const { certificate, detector } = loop.ledger()!.stable!;
    expect(certificate).toMatchObject({ agreement: 'F1' });
    // Tenths: three for each row that disagrees.
    expect(certificate!.disagreements % LOST_TENTHS).toBe(0);
    expect(detector).toBeDefined();
  });

  test('is told of in words of the loss, in status, conditions and events', () => {
    const words = [JSON.stringify(service.status), ...loop.events()].join('\n');
    expect(words).toContain('F1 loss');
    expect(words.replaceAll('disagreementRatio', '')).not.toMatch(/disagree[sd]?\b|unlike/i);
  });

  test('has its bound and its exits in the columns of kubectl', async () => {
    const [titles = '', row = ''] = (await kubectl('get', 'cms', 'vision', '-o', 'wide')).split(
      '\n',
    );
    // By their places, since a cell may be empty.
    const starts = [...titles.matchAll(/\S+/g)].map(({ 0: title, index }) => ({ title, index }));
    const cells = Object.fromEntries(
      starts.map(({ title, index }, i) => [title, row.slice(index, starts[i + 1]?.index).trim()]),
    );
    expect(cells).toMatchObject({ READY: 'True', EXITS: 'Serving', BUDGET: '1%' });
    const { accuracy } = service.status as {
      accuracy: { exitedShare: string; upperBound: string };
    };
    expect(cells).toMatchObject({ EXITED: accuracy.exitedShare, BOUND: accuracy.upperBound });
    expect(Number.parseFloat(accuracy.upperBound)).toBeLessThanOrEqual(1);
    expect(Number.parseFloat(accuracy.exitedShare)).toBeGreaterThan(10);
  });

  test.each(['status', 'explain', 'evidence'])(
    '`layercache %s` speaks of loss, not of disagreement',
    async (verb) => {
      const { out, err, exitCode } = await read(verb, 'vision');
      expect([err, exitCode]).toEqual(['', 0]);
      expect(out).toMatch(/F1 loss/i);
      expect(out).not.toMatch(/disagree|unlike/i);
    },
  );
});
