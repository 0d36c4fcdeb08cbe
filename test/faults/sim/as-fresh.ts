import { expectReached, undisturbed, type Run } from './end-state-reached.ts';
import { storedSpec } from './services.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The world becomes what a service of its spec is that nothing ever happened to, and then nothing is written. */
export async function expectAsFresh(run: Run, withinMs: number): Promise<void> {
  const fresh = await undisturbed(storedSpec(run.world));
  await expectReached(run, withoutSecrets(fresh.state), withinMs, withoutSecrets);
}

/** Keys are made again for pods that wait for them, not for those that run. */
function withoutSecrets(state: Fields): Fields {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith('Secret/')));
}
