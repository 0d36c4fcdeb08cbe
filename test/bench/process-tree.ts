import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** What `/proc/PID/stat` says of a process. */
export interface ProcessStat {
  readonly parent: number;
  /** User and system. */
  readonly seconds: number;
}

/** A process and all its living descendants, the process first; none where it is gone. */
export function processTree(root: number): ReadonlyMap<number, ProcessStat> {
  const all = new Map<number, ProcessStat>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const text = readOf(pid, 'stat');
    if (text !== null) all.set(pid, parseStat(text));
  }
  return treeOf(all, root);
}

/**
 * Memory of a process and its descendants in MiB: proportional set sizes, so that pages that several of them share count once. Those
 * whose figures cannot be read count nothing.
 */
export function treeMemoryMib(root: number): number {
  const kib = [...processTree(root).keys()].map(
    (pid) => parsePssKib(readOf(pid, 'smaps_rollup') ?? '') ?? 0,
  );
  return kib.reduce((sum, one) => sum + one, 0) / 1_024;
}

export function parseStat(text: string): ProcessStat {
  // The command may hold spaces and parentheses; fields are counted behind its last closing one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    parent: Number(fields[1]),
    seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}

/** Null for a process without memory of its own: a thread of the kernel, or one that has ended. */
export function parsePssKib(text: string): number | null {
  const found = /^Pss:\s+(\d+) kB$/m.exec(text);
  return found === null ? null : Number(found[1]);
}

export function treeOf(
  all: ReadonlyMap<number, ProcessStat>,
  root: number,
): ReadonlyMap<number, ProcessStat> {
  const tree = new Map([...all].filter(([pid]) => pid === root));
  // Children may have smaller numbers than their parents, so until none is added.
  for (let before = -1; before !== tree.size;) {
    before = tree.size;
    for (const [pid, stat] of all) if (tree.has(stat.parent)) tree.set(pid, stat);
  }
  return tree;
}

function readOf(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It has ended since the folder was read.
    return null;
  }
}
