import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'lc-';

/**
 * A folder for one cluster's keys, data and logs, named after the process that owns it and removed when that process
 * exits. The name stays short, since paths of sockets below it are limited to 107 bytes.
 */
export function createClusterFolder(): string {
  removeAbandonedFolders();
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  process.once('exit', () => {
    removeFolder(folder);
  });
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** What a killed run could not remove itself. */
function removeAbandonedFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    if (isAbandoned(name)) removeFolder(join(tmpdir(), name));
  }
}

/** Whether a cluster's folder or cgroup is named after a process that is no more. */
export function isAbandoned(name: string): boolean {
  const owner = /^lc-(\d+)-/.exec(name)?.[1];
  return owner !== undefined && !isAlive(Number(owner));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
