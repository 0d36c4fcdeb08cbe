import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../../support/eventually.ts';
import { expectCommand } from '../run-command.ts';

const script = fileURLToPath(new URL('namespaces.sh', import.meta.url));

export interface NodeNamespaces {
  readonly initPid: number;
  /** Ends every process inside; the kernel then drops their mounts and networks. */
  readonly end: () => Promise<void>;
  /** The same for a process that is about to exit and can wait for nothing. */
  readonly kill: () => void;
}

/**
 * Makes network, process and mount namespaces for a node. They hang on one small process: when it ends, or this
 * process does, the kernel ends every process inside, and nothing of the node is left but its folder and cgroups.
 */
export async function createNamespaces(
  folder: string,
  address: string,
  pauseProgram: string,
): Promise<NodeNamespaces> {
  const unshare = ['unshare', '--mount', '--propagation', 'private', '--net', '--pid', '--fork'];
  const words = [...unshare, '--kill-child=KILL', '--mount-proc', pauseProgram];
  const outer = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...words], {
    stdio: 'ignore',
    detached: true,
  });
  outer.unref();
  const initPid = await eventually(() => innerPid(outer, pauseProgram));
  await expectCommand('nsenter', [
    ...['--target', `${initPid}`, '--mount', '--net', '--', 'bash', script, folder, address],
  ]);
  return {
    initPid,
    end: () => end(outer),
    kill: () => {
      outer.kill('SIGKILL');
    },
  };
}

/** The words that run a command as one of the node's own processes. */
export function enterNode(initPid: number): string[] {
  return ['nsenter', '--target', `${initPid}`, '--mount', '--net', '--pid', '--'];
}

/** The words that run a command of this machine in the node's network, where it reaches pods and services. */
export function enterNetwork(initPid: number): string[] {
  return ['nsenter', '--target', `${initPid}`, '--net', '--'];
}

function innerPid(outer: ChildProcess, program: string): number {
  if (outer.exitCode !== null) throw new Error('this machine does not allow new namespaces');
  const children = readFileSync(`/proc/${outer.pid!}/task/${outer.pid!}/children`, 'utf8').trim();
  // Between fork and exec the child is still unshare, and its /proc may not be mounted yet.
  const command = children === '' ? '' : readFileSync(`/proc/${children}/cmdline`, 'utf8');
  if (!command.startsWith(program)) throw new Error('the namespaces are not there yet');
  return Number(children);
}

function end(outer: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (outer.exitCode !== null || outer.signalCode !== null) {
      resolve();
      return;
    }
    outer.ref();
    outer.once('exit', () => {
      resolve();
    });
    outer.kill('SIGKILL');
  });
}
