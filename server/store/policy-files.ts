import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';

export const POLICY_FILE = 'policy.json';

/** A mounted policy as one consistent reading: text and the directory that its head files lie in. */
export interface MountedPolicy {
  readonly text: string;
  readonly dir: string;
}

/**
 * Reads the mounted directory. The kubelet swaps the symlink `..data` as a whole; it is resolved once and everything is
 * read through that one target, so a swap in between never mixes two policies. Null: there is none (yet).
 */
export async function readMountedPolicy(dir: string): Promise<MountedPolicy | null> {
  const target = await resolveTarget(dir);
  try {
    return { text: await readFile(join(target, POLICY_FILE), 'utf8'), dir: target };
  } catch {
    return null;
  }
}

async function resolveTarget(dir: string): Promise<string> {
  try {
    return await realpath(join(dir, '..data'));
  } catch {
    return dir;
  }
}
