import type { Deployment, DeploymentStrategy } from 'kubernetes-types/apps/v1.js';
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js';

import { hasAccelerator } from './accelerators.ts';
import { chooseTemplate, type TemplateRenderer } from './choose-template.ts';
import { compact } from './compact.ts';
import type { ServiceDefaults } from './defaults.ts';
import { objectAt } from './json-object.ts';
import { selectorLabels } from './labels.ts';
import type { LiveObject } from './live-object.ts';
import { ANNOTATIONS } from './names.ts';
import { ownedPart } from './owned-part.ts';
import { childMetadata } from './owner.ts';
import { planReplicas } from './replicas.ts';
import type { ServiceToPlan } from './service.ts';
import type { TemplateProblem } from './template-problem.ts';
import { serializeTemplateRecord } from './template-record.ts';

const PROGRESS_RESERVE_SECONDS = 300;

export interface DeploymentInput {
  readonly service: ServiceToPlan;
  readonly defaults: ServiceDefaults;
  readonly live: LiveObject | null;
  readonly adminGeneration: number;
}

export type DeploymentPlan =
  | {
      readonly ok: true;
      readonly deployment: Deployment;
      readonly templateVersion: number;
      /** A newer operator made the template; it stays until that operator is back. */
      readonly isTemplateKept: boolean;
    }
  | { readonly ok: false; readonly problems: readonly TemplateProblem[] };

/** The Deployment of a service, whose template stays the same through upgrades of the operator. */
export function planDeployment(
  input: DeploymentInput,
  renderers?: readonly TemplateRenderer[],
): DeploymentPlan {
  const { service, defaults, live, adminGeneration } = input;
  const recorded = live?.metadata.annotations?.[ANNOTATIONS.templateInputs];
  const inputs = { ...defaults.template };
  const chosen = chooseTemplate({ service, adminGeneration, inputs, recorded }, renderers);
  switch (chosen.kind) {
    case 'Refuse':
      return { ok: false, problems: chosen.problems };
    case 'Keep': {
      const { templateVersion } = chosen;
      const annotation = String(recorded);
      const template = objectAt(ownedPart(live), 'spec', 'template') as PodTemplateSpec;
      const deployment = toDeployment(input, template, annotation);
      return { ok: true, deployment, templateVersion, isTemplateKept: true };
    }
    case 'Render': {
      const { templateVersion } = chosen.record;
      const annotation = serializeTemplateRecord(chosen.record);
      const deployment = toDeployment(input, chosen.template, annotation);
      return { ok: true, deployment, templateVersion, isTemplateKept: false };
    }
  }
}

function toDeployment(
  { service, live }: DeploymentInput,
  template: PodTemplateSpec,
  templateInputs: string,
): Deployment {
  const { name, spec } = service;
  const replicas = planReplicas(service, live);
  const metadata = childMetadata(service, name);
  const { resourceVersion } = replicas.kind === 'Set' ? replicas : {};
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...metadata,
      annotations: { [ANNOTATIONS.templateInputs]: templateInputs },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    spec: compact<NonNullable<Deployment['spec']>>({
      replicas: replicas.kind === 'Set' ? replicas.replicas : undefined,
      selector: { matchLabels: selectorLabels(name, 'server') },
      strategy: strategy(service, template),
      progressDeadlineSeconds:
        Math.ceil(spec.server.startupDeadline / 1000) + PROGRESS_RESERVE_SECONDS,
      template,
    }),
  };
}

/** Pods with a device roll in place: a surge would wait for a second device that is often not there. */
function strategy({ spec }: ServiceToPlan, template: PodTemplateSpec): DeploymentStrategy {
  const { type, maxSurge, maxUnavailable } = spec.updateStrategy;
  if (type === 'Recreate') return { type };
  return { type, rollingUpdate: fillRollingUpdate({ maxSurge, maxUnavailable }, template) };
}

interface RollingUpdate {
  readonly maxSurge: number | string;
  readonly maxUnavailable: number | string;
}

/** One given as 0 leaves the other at 1: both 0 would never roll. */
function fillRollingUpdate(
  given: { readonly [K in keyof RollingUpdate]: RollingUpdate[K] | undefined },
  template: PodTemplateSpec,
): RollingUpdate {
  const surges = !hasAccelerator(template);
  const maxSurge = given.maxSurge ?? (surges || isZero(given.maxUnavailable) ? 1 : 0);
  const maxUnavailable = given.maxUnavailable ?? (isZero(maxSurge) ? 1 : surges ? 0 : 1);
  return { maxSurge, maxUnavailable };
}

function isZero(value: number | string | undefined): boolean {
  return value === 0 || value === '0%';
}
