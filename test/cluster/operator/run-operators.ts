import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ControlPlane } from '../../support/control-plane.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { startOperatorProcess, type OperatorProcess } from '../../support/operator-process.ts';

/** An operator process in a namespace, seen through a proxy of its own. */
export interface ProxiedOperator extends OperatorProcess {
  readonly proxy: FaultProxy;
  /** Requests that change something, except Lease renewals. */
  readonly writes: () => readonly string[];
}

/** Short enough to wait for, long enough for a busy machine. */
export const LEASE = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 400 } as const;

/** Starts an operator of this installation, with leader election at the pace of tests; it ends with the test. */
export async function runOperator(
  plane: ControlPlane,
  namespace: string,
  more: Readonly<Record<string, string>> = {},
): Promise<ProxiedOperator> {
  const operator = await startOperator(plane, namespace, more);
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') {
      const lines = operator.lines.map((line) => JSON.stringify(line)).join('\n');
      process.stderr.write(`--- operator ${operator.pid}\n${lines}\n${operator.stderr()}\n`);
    }
    await operator.end();
  });
  return operator;
}

/** The same for all tests of a file: the caller ends it. */
export async function startOperator(
  plane: ControlPlane,
  namespace: string,
  more: Readonly<Record<string, string>> = {},
): Promise<ProxiedOperator & { readonly end: () => Promise<void> }> {
  const proxy = await startFaultProxy(plane);
  const folder = mkdtempSync(join(tmpdir(), 'layercache-operator-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, proxy.kubeconfig);
  const operator = startOperatorProcess({
    LAYERCACHE_KUBECONFIG: kubeconfig,
    LAYERCACHE_NAMESPACE: namespace,
    LAYERCACHE_RELEASE: 'demo',
    LAYERCACHE_WATCH_NAMESPACES: namespace,
    LAYERCACHE_SERVER_IMAGE: 'registry.test/server:1',
    LAYERCACHE_LEASE_DURATION: `${LEASE.leaseMs}ms`,
    LAYERCACHE_LEASE_RENEW_DEADLINE: `${LEASE.renewDeadlineMs}ms`,
    LAYERCACHE_LEASE_RETRY_PERIOD: `${LEASE.retryMs}ms`,
    ...more,
  });
  return {
    ...operator,
    proxy,
    writes: () =>
      proxy.requests
        .filter(({ method, target }) => method !== 'GET' && !target.includes('/leases'))
        .map(({ method, target }) => `${method} ${target}`),
    end: async () => {
      operator.kill('SIGKILL');
      await operator.ended;
      await proxy.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The Lease of the installation, as stored. */
export async function leaseOf(
  plane: ControlPlane,
  namespace: string,
): Promise<{ readonly holderIdentity?: string; readonly leaseTransitions?: number }> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/demo-operator`;
  const { body } = await plane.request({ path });
  return (body as { spec: { holderIdentity?: string; leaseTransitions?: number } }).spec;
}
