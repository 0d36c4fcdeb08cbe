// A person on call: a real node with the release installed as install.md says, and the commands of a runbook followed to the letter.
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { placeholdersOf, runbookCommands } from './diagnosis.ts';
import { startNodeAndShell, type NodeAndShell } from './node-and-shell.ts';

const INSTALL = 'charts/layercache/docs/install.md';
/** A right that was missing is tried again after five minutes. */
const SETTLED_MS = 420_000;

export interface OnCall extends NodeAndShell {
  /** What the commands of a diagnosis print; one that wants a pod is left out where there is none. */
  readonly diagnosis: (alert: string, service?: string) => Promise<string>;
  /** Waits until each cause is to be read there. */
  readonly untilRead: (
    alert: string,
    causes: readonly RegExp[],
    options?: { readonly service?: string; readonly withinMs?: number },
  ) => Promise<void>;
}

export async function startOnCall(): Promise<OnCall> {
  const { node, shell, stop } = await startNodeAndShell();
  try {
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
      said.push(await shell.run(command));
    }
    return said.join('\n');
  };
  return {
    ...{ node, shell, diagnosis, stop },
    untilRead: (alert, causes, { service, withinMs = SETTLED_MS } = {}) =>
      eventually(async () => {
        const said = await diagnosis(alert, service);
        for (const cause of causes) expect(said).toMatch(cause);
      }, withinMs),
  };
}
