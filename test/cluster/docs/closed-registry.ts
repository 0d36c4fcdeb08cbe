// The registry of a closed network, and the public one as it is reached from there.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeImageArchive } from '../harness/image/image-archive.ts';
import { startMirroringRegistry, type MirroringRegistry } from './mirroring-registry.ts';

/** Holds one small image under each of the names in `images.txt` that docker.io has. */
export async function startClosedRegistry(): Promise<MirroringRegistry> {
  const registry = await startMirroringRegistry('docker.io');
  const folder = mkdtempSync(join(tmpdir(), 'layercache-images-'));
  const archive = join(folder, 'image.tar');
  writeImageArchive(archive, { name: 'any:1', layers: [[]], entrypoint: ['/none'] });
  try {
    const images = readFileSync('charts/layercache/images.txt', 'utf8').trim().split('\n');
    for (const image of images) await registry.hold(archive, image);
  } catch (error) {
    await registry.stop();
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
  return registry;
}
