import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { startPart } from './part-process.ts';

export interface RegistryOptions {
  /** Files of its certificate and key. @defaultValue without TLS */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** A file as `htpasswd` writes it. @defaultValue everybody may read and write */
  readonly passwordsPath?: string;
}

export interface Registry {
  /** On loopback. */
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** Programs that it needs, with Debian's package. */
export const REGISTRY_PROGRAMS = { 'docker-registry': 'docker-registry', setpriv: 'util-linux' };

/** Debian's registry, with its files in a folder that is there. It dies with the tests, or by `stop`. */
export async function startRegistry(
  folder: string,
  { tls, passwordsPath }: RegistryOptions = {},
): Promise<Registry> {
  const htpasswd = { realm: 'heads', path: passwordsPath };
  const config = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(folder, 'blobs') } },
    http: { addr: '127.0.0.1:0', tls },
    auth: passwordsPath === undefined ? undefined : { htpasswd },
  };
  const path = join(folder, 'config.yml');
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(config));
  const logPath = join(folder, 'log');
  const { kill } = startPart({ command: 'docker-registry', args: ['serve', path], logPath });
  try {
    const port = await eventually(() => {
      const said = readFileSync(logPath, 'utf8');
      const [, digits] = /listening on [^ ]*:(\d+)/.exec(said) ?? [];
      if (digits === undefined) throw new Error(`the registry does not listen: ${said}`);
      return Number(digits);
    }, 20_000);
    return { port, stop: kill };
  } catch (error) {
    await kill();
    throw error;
  }
}
