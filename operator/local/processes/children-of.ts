import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Process ids of the living children of a process. The engine host is the only child of a server. */
export async function childrenOf(pid: number): Promise<number[]> {
  return process.platform === 'linux' ? linuxChildren(pid) : listedChildren(pid);
}

/** From /proc, since a slim image has no `ps`. */
async function linuxChildren(pid: number): Promise<number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(names.map(parentOf));
  return names.filter((_, i) => parents[i] === pid).map(Number);
}

/** Null: it ended meanwhile, or is a zombie. */
async function parentOf(name: string): Promise<number | null> {
  const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
  // pid (name) state ppid ...: the name may hold anything, so fields count from its last bracket.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || parent === undefined ? null : Number(parent);
}

async function listedChildren(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}
