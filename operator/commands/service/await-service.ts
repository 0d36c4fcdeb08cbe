import { KIND } from '../../../crds/v1alpha1/cached-model-service.ts';
import { sleep } from '../../kube/clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { getServiceView } from './find-service.ts';
import type { ServiceView } from './service-view.ts';

/** How long to wait for the operator, and who may end it earlier. */
export interface Wait {
  readonly timeoutMs: number;
  readonly interrupt: AbortSignal;
}

const POLL_MS = 500;

/** The service as soon as it is so; null: not in time, or interrupted. */
export async function awaitService(
  cluster: Cluster,
  name: string,
  { timeoutMs, interrupt }: Wait,
  isSo: (service: ServiceView) => boolean,
): Promise<ServiceView | null> {
  const { clock } = cluster;
  const endMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const service = await getServiceView(cluster, name);
    if (isSo(service)) return service;
    if (interrupt.aborted || clock.monotonicMs() + POLL_MS > endMs) return null;
    await sleep(clock, POLL_MS, interrupt);
  }
}

/** Sets or, with null, removes one annotation of a service; nothing else of it is touched. */
export async function annotate(
  { api, namespace }: Cluster,
  name: string,
  annotation: string,
  value: string | null,
): Promise<void> {
  const ref = { kind: KIND, namespace, name } as const;
  const patch = { metadata: { annotations: { [annotation]: value } } };
  await api.mergePatch(ref, patch, { fieldManager: 'layercache-cli' });
}
