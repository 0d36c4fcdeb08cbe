// The registry of a closed network, and the public one as it is reached from there: Debian's docker-registry, over TLS.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issueServer } from '../harness/certificates.ts';
import { startRegistry } from '../harness/docker-registry.ts';
import { writeImageArchive } from '../harness/image/image-archive.ts';
import { whyMissing } from '../harness/missing-program.ts';
import { expectCommand } from '../harness/run-command.ts';
import { whyNoStore } from '../stores/store-server.ts';

/** Why there can be none here, said on standard error too; null: there can. */
export async function whyNoClosedRegistry(): Promise<string | null> {
  return (await whyNoStore('oci')) ?? whyNoSkopeo();
}

function whyNoSkopeo(): string | null {
  const why = whyMissing({ skopeo: 'skopeo' });
  if (why !== null)
    process.stderr.write(`\nSKIPPED: tests of the guide for closed networks: ${why}\n`);
  return why;
}

export interface ClosedRegistry {
  /** `HOST:PORT`. */
  readonly name: string;
  /** With which Helm and skopeo find and trust it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names with tags that it holds of an image. */
  tagsOf(repository: string): Promise<string>;
  stop(): Promise<void>;
}

/** Holds one small image under each of the names in `images.txt` that docker.io has. */
export async function startClosedRegistry(): Promise<ClosedRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-registry-'));
  await createAuthority(folder, 'ca');
  const subject = { user: 'registry' };
  const { certPath, keyPath } = await issueServer(folder, 'tls', subject, ['DNS:localhost']);
  const tls = { certificate: certPath, key: keyPath };
  const registry = await startRegistry(folder, { tls });
  const name = `localhost:${registry.port}`;
  const stop = async (): Promise<void> => {
    await registry.stop();
    rmSync(folder, { recursive: true });
  };
  const home = join(folder, 'home');
  mkdirSync(join(home, '.config/containers'), { recursive: true });
  writeFileSync(
    join(home, '.config/containers/registries.conf'),
    `[[registry]]\nprefix = "docker.io"\nlocation = "${name}/outside"\n`,
  );
  const environment = { HOME: home, SSL_CERT_FILE: join(folder, 'ca.crt') };
  const skopeo = (...args: readonly string[]) => expectCommand('skopeo', args, { environment });
  const archive = join(folder, 'image.tar');
  writeImageArchive(archive, { name: 'any:1', layers: [[]], entrypoint: ['/none'] });
  try {
    const images = readFileSync('charts/layercache/images.txt', 'utf8').trim().split('\n');
    for (const image of images) {
      const outside = image.replace('docker.io', `${name}/outside`);
      await skopeo('copy', `oci-archive:${archive}`, `docker://${outside}`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ name, environment },
    tagsOf: (repository) => skopeo('list-tags', `docker://${name}/${repository}`),
    stop,
  };
}
