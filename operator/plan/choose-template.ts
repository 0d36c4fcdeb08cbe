import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js';

import { fingerprint } from './fingerprint.ts';
import { mergePodTemplate, type MergeResult } from './merge-pod-template.ts';
import { podLabelProblems } from './protected-fields.ts';
import { quantityProblems } from './quantity-problems.ts';
import type { ServiceToPlan } from './service.ts';
import type { TemplateProblem } from './template-problem.ts';
import { parseTemplateRecord, type TemplateRecord } from './template-record.ts';
import { templateInputs } from './template-v1/inputs.ts';
import { renderTemplateV1 } from './template-v1/render.ts';

type RecordedInputs = TemplateRecord['inputs'];

/** A frozen renderer; null when the inputs are not ones of its version. */
export type TemplateRenderer = (
  service: ServiceToPlan,
  inputs: RecordedInputs,
  adminGeneration: number,
) => PodTemplateSpec | null;

function renderRecordedV1(
  service: ServiceToPlan,
  inputs: RecordedInputs,
  adminGeneration: number,
): PodTemplateSpec | null {
  const parsed = templateInputs.safeParse(inputs);
  if (!parsed.success) return null;
  return renderTemplateV1({ service, inputs: parsed.data, adminGeneration });
}

/** Every version there ever was, the newest last. */
export const TEMPLATE_RENDERERS: readonly TemplateRenderer[] = [renderRecordedV1];

export interface TemplateRequest {
  readonly service: ServiceToPlan;
  readonly adminGeneration: number;
  /** Today's chart defaults, for the newest version. */
  readonly inputs: RecordedInputs;
  /** Annotation of the live Deployment. */
  readonly recorded: string | undefined;
}

export type TemplatePlan =
  | { readonly kind: 'Render'; readonly template: PodTemplateSpec; readonly record: TemplateRecord }
  /** A newer operator made it: the live one stays as it is. */
  | { readonly kind: 'Keep'; readonly templateVersion: number }
  | { readonly kind: 'Refuse'; readonly problems: readonly TemplateProblem[] };

/**
 * The pod template of a service. The recorded version and inputs stay until the spec itself asks for other pods, so an
 * operator upgrade or new chart defaults roll nothing; `upgradePolicy: Automatic` takes the newest at once.
 */
export function chooseTemplate(
  request: TemplateRequest,
  renderers: readonly TemplateRenderer[] = TEMPLATE_RENDERERS,
): TemplatePlan {
  const recorded = parseTemplateRecord(request.recorded);
  const newest = { templateVersion: renderers.length, inputs: request.inputs };
  if (recorded === null || request.service.spec.upgradePolicy === 'Automatic') {
    return render(request, newest, renderers);
  }
  if (recorded.templateVersion > renderers.length) {
    return { kind: 'Keep', templateVersion: recorded.templateVersion };
  }
  const before = fingerprintOf(request, recorded, renderers);
  // What was just rendered for the comparison is not fingerprinted again.
  return before === recorded.fingerprint
    ? render(request, recorded, renderers, before)
    : render(request, newest, renderers);
}

type Source = Pick<TemplateRecord, 'templateVersion' | 'inputs'>;

function render(
  request: TemplateRequest,
  source: Source,
  renderers: readonly TemplateRenderer[],
  known?: string,
): TemplatePlan {
  const merged = renderMerged(request, source, renderers);
  if (!merged.ok) return { kind: 'Refuse', problems: merged.problems };
  const { templateVersion, inputs } = source;
  const record = {
    templateVersion,
    inputs,
    fingerprint: known ?? String(fingerprintOf(request, source, renderers)),
  };
  return { kind: 'Render', template: merged.template, record };
}

/** Without the admin generation: new keys roll pods, but they are no edit of the spec. Null: cannot be rendered. */
function fingerprintOf(
  request: TemplateRequest,
  source: Source,
  renderers: readonly TemplateRenderer[],
): string | null {
  const merged = renderMerged({ ...request, adminGeneration: 0 }, source, renderers);
  return merged.ok ? fingerprint(merged.template) : null;
}

function renderMerged(
  { service, adminGeneration }: TemplateRequest,
  { templateVersion, inputs }: Source,
  renderers: readonly TemplateRenderer[],
): MergeResult {
  const rendered = renderers[templateVersion - 1]?.(service, inputs, adminGeneration) ?? null;
  if (rendered === null) {
    const message = `version ${templateVersion} does not know these inputs: correct the chart values`;
    return { ok: false, problems: [{ path: '.spec.template', message }] };
  }
  const problems = podLabelProblems(service);
  if (problems.length > 0) return { ok: false, problems };
  const merged = mergePodTemplate(rendered, service.spec.podTemplate);
  if (!merged.ok) return merged;
  const unreadable = quantityProblems(merged.template);
  return unreadable.length > 0 ? { ok: false, problems: unreadable } : merged;
}
