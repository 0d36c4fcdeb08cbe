import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import { readHeadRevisionStatus } from '../../../crds/v1alpha1/head-revision-status.ts';
import type { KubeObject } from '../../kube/api.ts';
import { toTime } from '../../plan/status/time.ts';
import type { BundleVerdict } from './assess-bundle.ts';

const TYPE = 'Available';

export function availableOf(revision: KubeObject): Condition | null {
  const { conditions = [] } = readHeadRevisionStatus(revision.status);
  return conditions.find(({ type }) => type === TYPE) ?? null;
}

/**
 * The part of a revision's status that belongs to this controller. The lifecycle owns the rest under the operator's other
 * field manager: with one name, each apply would remove what the other one said.
 */
export function planAvailable(
  { apiVersion, kind, metadata, ...rest }: KubeObject,
  verdict: BundleVerdict,
  nowMs: number,
): KubeObject {
  const { name, namespace, generation = 1 } = metadata;
  const previous = availableOf({ apiVersion, kind, metadata, ...rest });
  const condition: Condition = {
    type: TYPE,
    ...verdict,
    observedGeneration: generation,
    lastTransitionTime:
      previous?.status === verdict.status ? previous.lastTransitionTime : toTime(nowMs),
  };
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    status: { observedGeneration: generation, conditions: [condition] },
  };
}
