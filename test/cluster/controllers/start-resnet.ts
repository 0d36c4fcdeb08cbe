import { startControlPlane, type OwnControlPlane } from '../../support/control-plane.ts';
import { kubectlIn, type Kubectl } from '../harness/kubectl-in.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { runControllers, type RunningControllers } from './run-controllers.ts';

/** The smallest sample, `resnet`, under controllers of this process on a control plane that a test may break. */
export interface Resnet extends Pick<RunningControllers, 'user' | 'pods' | 'stop'> {
  readonly plane: OwnControlPlane;
  readonly namespace: string;
  readonly kubectl: Kubectl;
}

/** Of its control plane, in the order in which they start. */
export const PARTS = ['etcd', 'apiserver', 'controller-manager'] as const;

/** @param condition that is True when this resolves */
export async function startResnet(condition: string): Promise<Resnet> {
  const plane = await startControlPlane({ parts: [...PARTS] });
  await installDefinitions(plane);
  const namespace = (await plane.namespace()).name;
  const running = runControllers(plane, namespace);
  const kubectl = kubectlIn(plane, namespace);
  await kubectl('apply', '-f', 'crds/samples/smallest.yaml');
  await kubectl('wait', 'cms/resnet', `--for=condition=${condition}`, '--timeout=60s');
  return {
    ...{ plane, namespace, kubectl, user: running.user, pods: running.pods },
    stop: async () => {
      await running.stop();
      await plane.stop();
    },
  };
}
