import { readFileSync, readdirSync } from 'node:fs';

/** Ends a process of a pod as a native crash would. Returns false when the pod runs no such program. */
export function killInPod(podUid: string, program: string): boolean {
  const found = readdirSync('/proc').filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      read(`/proc/${pid}/cgroup`).includes(podUid) &&
      read(`/proc/${pid}/cmdline`).includes(program),
  );
  for (const pid of found) process.kill(Number(pid), 'SIGKILL');
  return found.length > 0;
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
