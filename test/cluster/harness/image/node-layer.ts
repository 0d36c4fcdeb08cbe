import { existsSync, realpathSync } from 'node:fs';
import { expectCommand } from '../run-command.ts';
import type { TarEntry } from './tar-file.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

export interface NodeLayerOptions {
  /** @defaultValue the Node that runs the tests */
  readonly binary?: string;
  /** Native libraries that upper layers bring and whose own needs must be met here. */
  readonly librariesFor?: readonly string[];
}

/**
 * The base of test images: a Node binary with the libraries it loads, users, certificates, nothing else; like the
 * released base it has no shell.
 */
export async function nodeLayer(options: NodeLayerOptions = {}): Promise<TarEntry[]> {
  const { binary = process.execPath, librariesFor = [] } = options;
  const users = 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n';
  return [
    { path: 'usr/bin/node', source: realpathSync(binary), mode: 0o755 },
    ...(await loadedLibraries(binary, ...librariesFor)),
    { path: 'etc/passwd', content: users },
    { path: 'etc/group', content: 'root:x:0:\nnonroot:x:65532:\n' },
    { path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
    { path: 'tmp', isFolder: true, mode: 0o1777 },
    ...['dev', 'proc', 'sys'].map((path) => ({ path, isFolder: true }) as const),
    ...(existsSync(CERTIFICATES)
      ? [{ path: CERTIFICATES.slice(1), source: CERTIFICATES, mode: 0o644 }]
      : []),
  ];
}

/** The shared libraries of programs, as the dynamic linker finds them on this machine. */
async function loadedLibraries(...programs: readonly string[]): Promise<TarEntry[]> {
  const listed = await expectCommand('ldd', programs);
  const lines = listed.matchAll(/(?:=> |^\t)(\/\S+)/gm);
  const paths = new Set([...lines].map(([, path]) => path!));
  return [...paths].map((path) => ({
    path: path.slice(1),
    source: realpathSync(path),
    mode: 0o755,
  }));
}
