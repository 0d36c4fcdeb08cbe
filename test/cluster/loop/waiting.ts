// Waiting for what a service under traffic does in minutes.
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import type { RealNode } from '../../support/real-node.ts';
import type { Traffic } from './row-traffic.ts';

const POLL_MS = 500;

export interface Waiting {
  /** Waits for it, and tells all that is known when it does not come. */
  readonly reaches: (
    what: string,
    holds: () => Promise<boolean> | boolean,
    ms: number,
  ) => Promise<void>;
  /** Something was waited for in vain: what follows cannot be. */
  readonly isStuck: () => boolean;
}

export function createWaiting(node: RealNode, namespace: string, traffic: Traffic): Waiting {
  let isStuck = false;
  return {
    isStuck: () => isStuck,
    reaches: async (what, holds, ms) => {
      try {
        await eventually(async () => {
          if (await holds()) return;
          await pause(POLL_MS);
          throw new Error(what);
        }, ms);
      } catch (error) {
        isStuck = true;
        throw new Error(`${what}\n${await whatIsKnown(node, namespace, traffic)}`, {
          cause: error,
        });
      }
    },
  };
}

async function whatIsKnown(node: RealNode, namespace: string, traffic: Traffic): Promise<string> {
  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await node.kubectl([...args, '-n', namespace]);
    return stdout + stderr;
  };
  const parts = [
    await kubectl('get', 'cms,chr,jobs,pods,configmaps', '-o', 'wide'),
    await kubectl('get', 'cms', '-o', 'yaml'),
    await kubectl('get', 'events', '--sort-by=.metadata.creationTimestamp'),
    await kubectl('logs', '-l', 'app.kubernetes.io/component=trainer', '--tail=50'),
    await kubectl('logs', 'deployment/layercache-operator', '--tail=60'),
    await kubectl('logs', '-l', 'app.kubernetes.io/component=server', '--tail=30', '--prefix'),
    JSON.stringify([traffic.answered, [...traffic.exits], traffic.failures.slice(0, 5)]),
  ];
  return parts.join('\n---\n');
}
