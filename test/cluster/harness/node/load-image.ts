import { join } from 'node:path';
import { expectCommand } from '../run-command.ts';
import { enterNode } from './namespaces.ts';
import { containerdSocket } from './node-configuration.ts';

interface ImageStore {
  readonly folder: string;
  readonly initPid: number;
  readonly programs: string;
}

/** Imports an OCI image archive into the node's containerd, under the name in its index. */
export async function loadImage(
  { folder, initPid, programs }: ImageStore,
  archive: string,
): Promise<void> {
  const [command, ...words] = enterNode(initPid);
  const client = [join(programs, 'ctr'), '--address', containerdSocket(folder)];
  const verb = ['--namespace', 'k8s.io', 'images', 'import', archive];
  await expectCommand(command!, [...words, ...client, ...verb]);
}
