import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Processor seconds, user and system, that a process and all its living descendants have used. */
export function processorSeconds(rootPid: number): number {
  const parents = new Map<number, { parent: number; seconds: number }>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const stat = readStat(pid);
    if (stat !== null) parents.set(pid, stat);
  }
  let total = 0;
  for (const [pid, { seconds }] of parents) if (descends(parents, pid, rootPid)) total += seconds;
  return total;
}

function readStat(pid: number): { parent: number; seconds: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command may hold spaces; fields are counted behind its closing parenthesis.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      parent: Number(fields[1]),
      seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    };
  } catch {
    return null;
  }
}

function descends(
  parents: ReadonlyMap<number, { parent: number }>,
  pid: number,
  root: number,
): boolean {
  for (
    let current: number | undefined = pid;
    current !== undefined;
    current = parents.get(current)?.parent
  ) {
    if (current === root) return true;
  }
  return false;
}
