// A person on call: a real node with the release installed as install.md says, and the commands of a runbook followed to the letter.
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { placeholdersOf, runbookCommands } from './diagnosis.ts';
import { loadReleaseImages } from './release-images.ts';
import { openShell, type Shell } from './shell.ts';

const INSTALL = 'charts/layercache/docs/install.md';
const SETTLED_MS = 300_000;

export interface OnCall {
  readonly node: OwnRealNode;
  readonly shell: Shell;
  /** What the commands of a diagnosis print; one that wants a pod is left out where there is none, and one that fails is what it said. */
  readonly diagnosis: (alert: string, service?: string) => Promise<string>;
  /** Waits until each cause is to be read there. */
  readonly untilRead: (alert: string, causes: readonly RegExp[], service?: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startOnCall(): Promise<OnCall> {
  const node = await startRealNode({ devices: {} });
  const shell = openShell({ kubeconfigPath: node.kubeconfigPath });
  const stop = async (): Promise<void> => {
    shell.close();
    await node.stop();
  };
  try {
    await loadReleaseImages(node, 'docker.io');
    await shell.block(`${INSTALL}#the-operator`);
    await shell.block(`${INSTALL}#a-first-service`);
  } catch (error) {
    await stop();
    throw error;
  }
  const diagnosis = async (alert: string, service = 'fashion'): Promise<string> => {
    const fill = await placeholdersOf(node, service);
    const commands = runbookCommands(alert).looks.map(fill);
    const said: string[] = [];
    for (const command of commands.filter((one) => !/\bPOD\b/.test(one))) {
      const { stdout, stderr } = await shell.attempt(command);
      said.push(stdout, stderr);
    }
    return said.join('\n');
  };
  return {
    ...{ node, shell, diagnosis, stop },
    untilRead: (alert, causes, service) =>
      eventually(async () => {
        const said = await diagnosis(alert, service);
        for (const cause of causes) expect(said).toMatch(cause);
      }, SETTLED_MS),
  };
}
