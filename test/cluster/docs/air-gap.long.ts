// From a registry of a closed network to an answer, on a real node that reaches nothing else.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { whyUnavailable } from '../harness/availability.ts';
import { startClosedRegistry } from './closed-registry.ts';
import { whyNoMirroringRegistry, type MirroringRegistry } from './mirroring-registry.ts';
import { loadReleaseImages } from './release-images.ts';
import { openShell, type Shell } from './shell.ts';

const unavailable = (await whyUnavailable('node')) ?? (await whyNoMirroringRegistry());
const AIR_GAP = 'charts/layercache/docs/air-gap.md';

describe.skipIf(unavailable !== null)('the guide for closed networks, inside', () => {
  let node: OwnRealNode;
  let registry: MirroringRegistry;
  let shell: Shell;

  beforeAll(async () => {
    node = await startRealNode({ devices: {} });
    registry = await startClosedRegistry();
    const { name, environment } = registry;
    const names = { 'registry.internal:5000': name };
    shell = openShell({ kubeconfigPath: node.kubeconfigPath, environment, names });
    await shell.block(`${AIR_GAP}#bring-images-and-chart-in`);
    await loadReleaseImages(node, name);
  }, 240_000);
  afterAll(async () => {
    (shell as Shell | undefined)?.close();
    await (registry as MirroringRegistry | undefined)?.stop();
    await (node as OwnRealNode | undefined)?.stop();
  });

  test('the chart installs from there and passes its test', async () => {
    const said = await shell.block(`${AIR_GAP}#install-inside`);
    expect(said).toContain('ok    every pod has acknowledged the policy');
    const { stdout } = await node.kubectl([
      ...['get', 'pods', '--namespace', 'layercache-system'],
      ...['--output', 'jsonpath={.items[*].spec.containers[*].image}'],
    ]);
    // The server of the test may still drain.
    for (const image of stdout.split(' ')) expect(image).toContain(`${registry.name}/layercache/`);
  }, 310_000);
});
