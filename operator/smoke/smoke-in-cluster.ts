import { existsSync } from 'node:fs';
import { CliError } from '../errors.ts';
import { createClient } from '../kube/client.ts';
import { systemKubeClock as clock } from '../kube/clock.ts';
import { loadAccess } from '../kube/cluster-access.ts';
import { callWhole } from '../kube/http-call.ts';
import { runSmoke } from './run-smoke.ts';
import { createSmokeCluster } from './smoke-cluster.ts';

export interface SmokeInCluster {
  readonly namespace: string;
  readonly name: string;
  readonly timeout: number;
  readonly interrupt: AbortSignal;
  readonly print: (line: string) => void;
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const CALL_MS = 10_000;

/** With the pod's own account; names of services resolve only there. */
export async function runSmokeInCluster(flags: SmokeInCluster): Promise<void> {
  const { namespace, name, timeout, interrupt, print } = flags;
  if (!existsSync(TOKEN)) {
    throw new CliError('NotInCluster', { why: `there is no account at ${TOKEN}.` });
  }
  const access = loadAccess({ from: 'InCluster' });
  const api = createClient({ access, clock, budget: null, deadlineMs: CALL_MS });
  const discover = async (target: string): Promise<string> => {
    const call = { method: 'GET', target, deadlineMs: CALL_MS, name: `get ${target}` } as const;
    return (await callWhole(access, clock, call)).text;
  };
  try {
    const tools = { api, discover, fetch: globalThis.fetch };
    const cluster = createSmokeCluster(tools, { namespace, name });
    await runSmoke({ cluster, clock, deadlineMs: timeout, interrupt, print });
  } finally {
    access.close();
  }
}
