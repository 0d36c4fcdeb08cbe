import { acceleratorNames } from '../accelerators.ts';
import { countAt, listAt, objectAt, textAt, type JsonObject } from '../json-object.ts';
import type { LiveObject } from '../live-object.ts';
import type { AutoscalerFacts, DeploymentFacts } from './facts.ts';

/** A Deployment as far as a status needs it. */
export function readDeployment(live: LiveObject): DeploymentFacts {
  const spec = objectAt(live, 'spec');
  const status = objectAt(live, 'status');
  const rolling = objectAt(spec, 'strategy', 'rollingUpdate');
  const failure = conditionOf(live, 'ReplicaFailure');
  const progressing = conditionOf(live, 'Progressing');
  return {
    isObserved: countAt(status, 'observedGeneration') >= (live.metadata.generation ?? 0),
    wantedReplicas: countAt(spec, 'replicas'),
    replicas: countAt(status, 'replicas'),
    readyReplicas: countAt(status, 'readyReplicas'),
    updatedReplicas: countAt(status, 'updatedReplicas'),
    availableReplicas: countAt(status, 'availableReplicas'),
    maxUnavailable: amountAt(rolling, 'maxUnavailable'),
    maxSurge: amountAt(rolling, 'maxSurge'),
    acceleratorNames: acceleratorNames(spec.template),
    replicaFailure: failure?.status === 'True' ? failure.message : null,
    deadlineExceeded:
      progressing?.reason === 'ProgressDeadlineExceeded' ? progressing.message : null,
  };
}

/** An autoscaler as far as a status needs it. */
export function readAutoscaler(live: LiveObject): AutoscalerFacts {
  return { scalingActive: conditionOf(live, 'ScalingActive') };
}

interface LiveCondition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function conditionOf(live: LiveObject, type: string): LiveCondition | null {
  const found = listAt(live, 'status', 'conditions').find((entry) => entry.type === type);
  if (found === undefined) return null;
  const text = (field: string): string => textAt(found, field) ?? '';
  return { status: text('status'), reason: text('reason'), message: text('message') };
}

function amountAt(object: JsonObject, field: string): number | string {
  return textAt(object, field) ?? countAt(object, field);
}
