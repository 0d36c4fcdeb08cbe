import { processTree } from './process-tree.ts';

/** Processor seconds, user and system, that a process and all its living descendants have used. */
export function processorSeconds(rootPid: number): number {
  return [...processTree(rootPid).values()].reduce((sum, { seconds }) => sum + seconds, 0);
}
