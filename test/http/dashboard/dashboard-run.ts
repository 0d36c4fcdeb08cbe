import { expect } from 'vitest';
import { pageStateSchema, type PageState } from '../../../operator/local/page/state/page-state.ts';
import { eventually } from '../../support/eventually.ts';
import { createPlayedPod } from '../../support/played-pod.ts';
import { startCli, type CliRun } from '../local/local-run.ts';

export const PATIENCE_MS = 30_000;

/** The bundled command line over a kubeconfig, as a person starts it. */
export interface DashboardRun {
  readonly run: CliRun;
  readonly url: string;
  /** What the page would be told now; it keeps to the schema of the page. */
  readonly state: () => Promise<PageState>;
}

export async function startDashboard(
  folder: string,
  kubeconfig: string,
  namespace: string,
): Promise<DashboardRun> {
  const words = ['dashboard', 'vision', '-n', namespace, '--kubeconfig', kubeconfig];
  const run = startCli(words, folder);
  const url = await eventually(() => {
    const [, address] = /^dashboard (http:\/\/127\.0\.0\.1:\d+)\n/.exec(run.stdout()) ?? [];
    expect(address, run.stderr()).toBeDefined();
    return address!;
  }, PATIENCE_MS);
  const state = async (): Promise<PageState> =>
    pageStateSchema.parse(await (await fetch(`${url}/api/state`)).json());
  return { run, url, state };
}

/** Metrics of a pod that has served more each time it is asked. */
export async function playedPages(count: number): Promise<() => string> {
  const pod = createPlayedPod();
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    pod.serve({ early: 60, late: 20, backbone: 20 });
    texts.push(await pod.page());
  }
  let next = 0;
  return () => texts[Math.min(next++, count - 1)]!;
}
