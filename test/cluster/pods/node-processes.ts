import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** Ends a process of a pod as a native crash would. Returns false when the pod runs no such program. */
export function killInPod(podUid: string, program: string): boolean {
  const found = pidsIn(podUid, program);
  for (const pid of found) process.kill(Number(pid), 'SIGKILL');
  return found.length > 0;
}

/** Drops what comes to a port of a pod, as a NetworkPolicy or a broken node would. Returns what opens it again. */
export function shutPortOfPod(podUid: string, port: number): () => void {
  const [pid] = pidsIn(podUid, '');
  if (pid === undefined) throw new Error(`no process of pod ${podUid}`);
  const rule = ['INPUT', '-p', 'tcp', '--dport', String(port), '-j', 'DROP'];
  const change = (verb: string): void => {
    execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, 'iptables', verb, ...rule]);
  };
  change('-I');
  return () => {
    change('-D');
  };
}

function pidsIn(podUid: string, program: string): string[] {
  return readdirSync('/proc').filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      read(`/proc/${pid}/cgroup`).includes(podUid) &&
      read(`/proc/${pid}/cmdline`).includes(program),
  );
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
