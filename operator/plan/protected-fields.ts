import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js';

import { canonicalJson } from '../../crds/wire/json.ts';
import { listAt, objectAt } from './json-object.ts';
import { SELECTOR_LABELS } from './labels.ts';
import type { ServiceToPlan } from './service.ts';
import type { TemplateProblem } from './template-problem.ts';

const PROTECTED_VOLUMES = ['policy', 'admin'] as const;
const PROTECTED_OF_SERVER = ['ports', 'startupProbe', 'readinessProbe', 'livenessProbe'] as const;

/** Labels of `spec.pod` that would take the pods out of their own selector. */
export function podLabelProblems({ spec }: Pick<ServiceToPlan, 'spec'>): TemplateProblem[] {
  const given = spec.pod?.labels ?? {};
  return SELECTOR_LABELS.filter((label) => label in given).map((label) => ({
    path: `.spec.pod.labels["${label}"]`,
    message: 'is set by the operator and cannot be changed: remove it',
  }));
}

/**
 * What `podTemplate` changed that the operator relies on: selector labels, ports, probes, the token switch, the volumes of
 * policy and admin keys and where they are mounted.
 */
export function protectedProblems(
  rendered: PodTemplateSpec,
  merged: PodTemplateSpec,
): TemplateProblem[] {
  const before = readProtected(rendered);
  const after = readProtected(merged);
  const changed = Object.keys(before).filter(
    (path) => canonicalJson(before[path]) !== canonicalJson(after[path] ?? null),
  );
  return changed.map((path) => ({
    path: `.spec.template${path}`,
    message: 'is set by the operator and cannot be changed: remove it from podTemplate',
  }));
}

/** Values by path, the same paths for every template. */
function readProtected(template: PodTemplateSpec): Readonly<Record<string, unknown>> {
  const server = itemOf(listAt(template, 'spec', 'containers'), 'name', 'server');
  const mounts = listAt(server, 'volumeMounts');
  const volumes = listAt(template, 'spec', 'volumes');
  const labels = objectAt(template, 'metadata', 'labels');
  const atServer = '.spec.containers[name="server"]';
  return {
    ...Object.fromEntries(
      SELECTOR_LABELS.map((label) => [`.metadata.labels["${label}"]`, labels[label]]),
    ),
    '.spec.automountServiceAccountToken': objectAt(template, 'spec').automountServiceAccountToken,
    ...Object.fromEntries(
      PROTECTED_OF_SERVER.map((field) => [`${atServer}.${field}`, objectAt(server)[field]]),
    ),
    ...Object.fromEntries(
      PROTECTED_VOLUMES.flatMap((name) => [
        [`.spec.volumes[name="${name}"]`, itemOf(volumes, 'name', name)],
        [`${atServer}.volumeMounts[name="${name}"]`, itemOf(mounts, 'name', name)],
      ]),
    ),
  };
}

function itemOf(list: readonly object[], key: string, value: string): unknown {
  return list.find((item) => objectAt(item)[key] === value);
}
