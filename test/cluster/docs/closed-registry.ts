// The registry of a closed network, and the public one as it is reached from there: Debian's docker-registry, over TLS.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { createAuthority, issueServer } from '../harness/certificates.ts';
import { freePorts } from '../harness/free-ports.ts';
import { writeImageArchive } from '../harness/image/image-archive.ts';
import { expectCommand } from '../harness/run-command.ts';
import { whyNoStore } from '../stores/store-server.ts';

/** Why there can be none here, said on standard error too; null: there can. */
export async function whyNoClosedRegistry(): Promise<string | null> {
  return (await whyNoStore('oci')) ?? whyNoSkopeo();
}

function whyNoSkopeo(): string | null {
  if (spawnSync('skopeo', ['--version']).status === 0) return null;
  const why = 'skopeo is missing: apt-get install skopeo';
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

/** Holds one small image under each of the names that docker.io has. */
export async function startClosedRegistry(images: readonly string[]): Promise<ClosedRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-registry-'));
  await createAuthority(folder, 'ca');
  const subject = { user: 'registry' };
  const { certPath, keyPath } = await issueServer(folder, 'tls', subject, ['DNS:localhost']);
  const [port] = await freePorts(1);
  const name = `localhost:${port!}`;
  const config = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(folder, 'blobs') } },
    http: {
      addr: `127.0.0.1:${port!}`,
      tls: { certificate: certPath, key: keyPath },
    },
  };
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
  // It dies with the tests.
  const words = ['--pdeathsig', 'KILL', '--', 'docker-registry', 'serve'];
  const child = spawn('setpriv', [...words, join(folder, 'config.yml')], { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
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
    await eventually(() => connects(port!));
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

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => {
      socket.end(resolve);
    });
    socket.once('error', reject);
  });
}
