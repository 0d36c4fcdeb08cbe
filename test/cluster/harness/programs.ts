import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand } from './run-command.ts';

export type ProgramGroup = 'control-plane' | 'kwok' | 'node' | 'stores' | 'kinds';

/** A part of the test cluster cannot run on this machine; the message says why and what to do. */
export class Unavailable extends Error {}

// From the root of the repository, where tests and benchmarks are run; a bundle has no folder beside it.
const script = resolve('test/cluster/recipe/build.sh');
const fromAssets = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
const TWENTY_MINUTES_MS = 20 * 60_000;

/**
 * The folder with a group's programs, built first where the cache lacks them: minutes, once per machine.
 * @throws Unavailable without the Go toolchain, or with what the build said.
 */
export async function programFolder(group: ProgramGroup): Promise<string> {
  const { code, stdout, stderr } = await runCommand('bash', [script, group], {
    isLoud: true,
    deadlineMs: TWENTY_MINUTES_MS,
  });
  if (code !== 0) throw new Unavailable(`group ${group} cannot be built: ${lastLines(stderr)}`);
  return stdout.trim();
}

/**
 * Finds control-plane programs by name: those in KUBEBUILDER_ASSETS (as envtest lays them out) win, the rest is built.
 * @throws Unavailable as `programFolder`.
 */
export async function controlPlanePrograms(): Promise<(name: string) => string> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const inAssets = (name: string) => assets !== undefined && existsSync(join(assets, name));
  if (fromAssets.every(inAssets)) return (name) => join(assets!, name);
  const built = await programFolder('control-plane');
  return (name) => join(inAssets(name) ? assets! : built, name);
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join('; ');
}
