// A registry over TLS that stands for a public one, too: Debian's docker-registry.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issueServer } from '../harness/certificates.ts';
import { startRegistry } from '../harness/docker-registry.ts';
import { whyMissing } from '../harness/missing-program.ts';
import { expectCommand } from '../harness/run-command.ts';
import { whyNoStore } from '../stores/store-server.ts';

/** Why there can be none here, said on standard error too; null: there can. */
export async function whyNoMirroringRegistry(): Promise<string | null> {
  return (await whyNoStore('oci')) ?? whyNoSkopeo();
}

function whyNoSkopeo(): string | null {
  const why = whyMissing({ skopeo: 'skopeo' });
  if (why !== null)
    process.stderr.write(`\nSKIPPED: tests of guides that need a registry: ${why}\n`);
  return why;
}

export interface MirroringRegistry {
  /** `HOST:PORT`. */
  readonly name: string;
  /** With which Helm, skopeo and buildah find and trust it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Puts an archive where this name of the public registry leads. */
  hold(archive: string, publicName: string): Promise<void>;
  /** Names with tags that it holds of an image. */
  tagsOf(repository: string): Promise<string>;
  stop(): Promise<void>;
}

/** @param of the public registry, such as `docker.io` */
export async function startMirroringRegistry(of: string): Promise<MirroringRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-registry-'));
  await createAuthority(folder, 'ca');
  const subject = { user: 'registry' };
  const { certPath, keyPath } = await issueServer(folder, 'tls', subject, ['DNS:localhost']);
  const tls = { certificate: certPath, key: keyPath };
  const registry = await startRegistry(folder, { tls });
  const name = `localhost:${registry.port}`;
  const outside = `${name}/outside`;
  const home = join(folder, 'home');
  mkdirSync(join(home, '.config/containers'), { recursive: true });
  writeFileSync(
    join(home, '.config/containers/registries.conf'),
    `[[registry]]\nprefix = "${of}"\nlocation = "${outside}"\n`,
  );
  const environment = { HOME: home, SSL_CERT_FILE: join(folder, 'ca.crt') };
  const skopeo = (...args: readonly string[]) => expectCommand('skopeo', args, { environment });
  return {
    ...{ name, environment },
    hold: async (archive, publicName) => {
      const place = publicName.replace(of, outside);
      await skopeo('copy', `oci-archive:${archive}`, `docker://${place}`);
    },
    tagsOf: (repository) => skopeo('list-tags', `docker://${name}/${repository}`),
    stop: async () => {
      await registry.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
