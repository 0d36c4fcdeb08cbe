import { readFile, readdir } from 'node:fs/promises';

/** Process numbers of the children of a process. */
export async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(
    pids.map(async (child) => {
      const stat = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '');
      return [child, Number(/^.*\) \S+ (\d+)/s.exec(stat)?.[1])] as const;
    }),
  );
  return parents.flatMap(([child, parent]) => (parent === pid ? [child] : []));
}
