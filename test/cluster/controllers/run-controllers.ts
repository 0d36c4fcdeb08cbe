import { createControllers } from '../../../operator/controllers/create-controllers.ts';
import type { Api } from '../../../operator/kube/api.ts';
import { createClient } from '../../../operator/kube/client.ts';
import { loadAccess } from '../../../operator/kube/cluster-access.ts';
import { systemKubeClock } from '../../../operator/kube/clock.ts';
import { createEventRecorder } from '../../../operator/kube/events.ts';
import { interceptApi, isWrite } from '../../../operator/kube/intercept-api.ts';
import { ROOT_KEY } from '../../support/admin-keys.ts';
import type { ControlPlane } from '../../support/control-plane.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { NO_LOG, NO_METRICS } from '../../faults/sim/world.ts';
import { DEFAULTS, INSTALLATION } from '../../unit/operator/plan/builders.ts';
import type { FakePod } from '../../support/fake-pod.ts';
import { createFakedKubelet } from './faked-kubelet.ts';

export interface RunningControllers {
  readonly user: Api;
  /** `patch Deployment/resnet`, in order, without events. */
  readonly writes: readonly string[];
  /** Its pods by UID. */
  readonly pods: ReadonlyMap<string, FakePod>;
  stop(): Promise<void>;
}

/** The controllers of the operator in this process, for one namespace whose pods get ready at once. */
export function runControllers(plane: ControlPlane, namespace: string): RunningControllers {
  const access = loadAccess({ from: 'File', path: plane.kubeconfigPath });
  const clock = systemKubeClock;
  const client = createClient({ access, clock, budget: null });
  const writes: string[] = [];
  const api = interceptApi(client, {
    after: (call) => {
      if (!isWrite(call) || call.kind === 'Event') return;
      writes.push(
        `${call.verb} ${call.kind}/${String(call.name)} ${call.subresource ?? ''}`.trim(),
      );
    },
  });
  const ended = new AbortController();
  const { signal } = ended;
  const generator = seededRandom(1);
  const random = (): number => generator.uniform();
  const kubelet = createFakedKubelet(client, namespace);
  const instance = 'operator-under-test';
  const running = Promise.all([
    kubelet.run(signal),
    createControllers({
      ...{ api, readingApi: client, clock, random, signal },
      ...{ installation: INSTALLATION, defaults: DEFAULTS, rootKey: ROOT_KEY },
      connections: kubelet.connections,
      events: createEventRecorder({
        ...{ api, clock, random, signal, instance },
        controller: 'layercache.io/operator',
      }),
      ...{ metrics: NO_METRICS, log: NO_LOG, watchNamespaces: [namespace], writer: instance },
      ownsNamespace: () => true,
      leaseTransitions: () => 0,
    }).run(),
  ]);
  return {
    user: client,
    writes,
    pods: kubelet.pods,
    stop: async () => {
      ended.abort();
      await running;
      access.close();
    },
  };
}
