// Bringing images and chart into a closed network: its registry is a real one, and stands for the public one, too.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startClosedRegistry } from './closed-registry.ts';
import { whyNoMirroringRegistry, type MirroringRegistry } from './mirroring-registry.ts';
import { openShell, type Shell } from './shell.ts';

const unavailable = await whyNoMirroringRegistry();
const AIR_GAP = 'charts/layercache/docs/air-gap.md';

describe.skipIf(unavailable !== null)('the guide for closed networks', () => {
  let registry: MirroringRegistry;
  let shell: Shell;

  beforeAll(async () => {
    registry = await startClosedRegistry();
    const { name, environment } = registry;
    shell = openShell({ environment, names: { 'registry.internal:5000': name } });
  });
  afterAll(async () => {
    (shell as Shell | undefined)?.close();
    await (registry as MirroringRegistry | undefined)?.stop();
  });

  test('brings every image and the chart into a registry, from which Helm renders it with these images', async () => {
    await shell.block(`${AIR_GAP}#bring-images-and-chart-in`);
    const ofServers = ['server', 'server-gpu', 'server-tensorflow', 'server-tensorflow-gpu'];
    for (const image of ['operator', ...ofServers]) {
      expect(await registry.tagsOf(`layercache/${image}`)).toContain('"0.1.0"');
    }
    const rendered = await shell.run(
      'helm template layercache oci://registry.internal:5000/charts/layercache --version 0.1.0 --set global.imageRegistry=registry.internal:5000',
    );
    const images = [...rendered.matchAll(/\b\S+\/layercache\/[a-z-]+:[\w.]+/g)].map(
      ([image]) => image,
    );
    expect(images.length).toBeGreaterThan(2);
    for (const image of images) expect(image).toContain(`${registry.name}/layercache/`);
  });
});
