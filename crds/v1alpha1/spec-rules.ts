import { CEL_HAS_ACCELERATOR, hasAccelerator } from './accelerator.ts';
import type { CachedModelService, CachedModelServiceSpec } from './cached-model-service.ts';
import { rulesAt, type FieldPath, type Rule, type RuleRow, type RuleSite } from './rule.ts';

/** Rules over the whole service: the name, and what holds between blocks of the spec. */

type Spec = CachedModelServiceSpec;

/** A rule that stands at `spec` and names one of its fields. */
function specSite(field: FieldPath, reads: readonly string[]): RuleSite<CachedModelService, Spec> {
  return {
    path: 'spec',
    fieldPath: `.${field.join('.')}`,
    reads,
    places: ({ spec }) => [[['spec', ...field], spec]],
  };
}

const nameRows: readonly RuleRow<string>[] = [
  {
    cel: 'self.metadata.name.size() <= 40',
    message: 'metadata.name must be at most 40 characters (child objects add suffixes)',
    fix: 'shorten the name',
    holds: (name) => name.length <= 40,
  },
  {
    cel: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    message:
      "metadata.name must start with a letter and hold only a-z, 0-9 and '-' (it becomes a Service name)",
    fix: 'rename the service',
    holds: (name) => /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name),
  },
];

/** Whether the engine runs the format: onnxruntime only ONNX, TensorFlow.js everything else. */
function canEngineRun(
  engine: Spec['server']['engine'],
  format: Spec['backbone']['format'],
): boolean {
  if (engine === 'Auto' || format === undefined) return true;
  if (engine === 'ONNX' || format === 'ONNX') return engine === format;
  return format !== 'SavedModel' || engine === 'TFJSGPU' || engine === 'TFJSNode';
}

/** Backbone and companions run on one engine. */
function formatsOf({ backbone, exits = [] }: Spec): Spec['backbone']['format'][] {
  return [backbone.format, ...exits.map((exit) => exit.model?.format)];
}

const celCanRun = (model: string): string =>
  `!has(${model}.format) || (${model}.format == 'ONNX' ? self.server.engine == 'ONNX' : self.server.engine != 'ONNX'` +
  ` && (${model}.format != 'SavedModel' || self.server.engine in ['TFJSGPU', 'TFJSNode']))`;

export const SPEC_RULES: readonly Rule<CachedModelService>[] = [
  ...rulesAt(
    {
      path: '',
      places: ({ metadata }: CachedModelService) => [[['metadata', 'name'], metadata.name]],
    },
    nameRows,
  ),
  ...rulesAt(specSite(['replicas'], ['spec.autoscaling']), [
    {
      cel: '!has(self.autoscaling) || self.replicas == 1',
      message:
        'with autoscaling the HPA owns the count: remove replicas (to bring your own HPA or KEDA, remove autoscaling and target this object)',
      holds: (spec) => spec.autoscaling === undefined || spec.replicas === 1,
    },
  ]),
  ...rulesAt(specSite(['autoscaling'], ['spec.pod']), [
    {
      cel: `!has(self.autoscaling) || has(self.autoscaling.metrics) || !${CEL_HAS_ACCELERATOR}`,
      message: 'CPU says little about an accelerator pod: set autoscaling.metrics',
      holds: (spec) =>
        spec.autoscaling === undefined ||
        spec.autoscaling.metrics !== undefined ||
        !hasAccelerator(spec),
    },
  ]),
  ...rulesAt(specSite(['server', 'engine'], ['spec.pod']), [
    {
      cel: `self.server.engine != 'TFJSGPU' || ${CEL_HAS_ACCELERATOR}`,
      message:
        'engine TFJSGPU needs a GPU: add an extended resource to pod.resources.limits or a pod.resourceClaims entry',
      holds: (spec) => spec.server.engine !== 'TFJSGPU' || hasAccelerator(spec),
    },
  ]),
  ...rulesAt(specSite(['server', 'engine'], ['spec.backbone.format', 'spec.exits']), [
    {
      cel:
        `self.server.engine == 'Auto' || ((${celCanRun('self.backbone')})` +
        ` && (!has(self.exits) || self.exits.all(e, !has(e.model) || ${celCanRun('e.model')})))`,
      message:
        'engine ONNX runs ONNX models only, TFJS engines run the other formats, SavedModel needs TFJSGPU or TFJSNode: change server.engine or use Auto',
      holds: (spec) => formatsOf(spec).every((format) => canEngineRun(spec.server.engine, format)),
    },
  ]),
  ...rulesAt(specSite(['accuracy', 'agreement'], ['spec.backbone.task']), [
    {
      cel: "self.accuracy.agreement != 'F1' || (has(self.backbone.task) && self.backbone.task == 'Detection')",
      message:
        'agreement F1 compares the boxes of a detector: set backbone.task to Detection, or accuracy.agreement to Strict',
      holds: ({ accuracy, backbone }) =>
        accuracy.agreement !== 'F1' || backbone.task === 'Detection',
    },
  ]),
  ...rulesAt(specSite(['exits'], ['spec.backbone.task']), [
    {
      cel: "!has(self.exits) || !self.exits.exists(e, has(e.sourceHeader)) || (has(self.backbone.task) && self.backbone.task == 'Detection')",
      message:
        'sourceHeader compares frames of a detector: set backbone.task to Detection, or remove sourceHeader',
      holds: ({ exits, backbone }) =>
        exits?.every((exit) => exit.sourceHeader === undefined) !== false ||
        backbone.task === 'Detection',
    },
  ]),
  ...rulesAt(specSite(['heads', 'training', 'student'], ['spec.server.engine']), [
    {
      cel: "self.heads.training.student == 'Off' || self.server.engine in ['Auto', 'ONNX']",
      message:
        'a student runs on engine ONNX: set server.engine to ONNX or Auto, or heads.training.student to Off',
      holds: ({ heads, server }) =>
        heads.training.student === 'Off' || server.engine === 'Auto' || server.engine === 'ONNX',
    },
  ]),
  ...rulesAt(specSite(['heads', 'revision'], ['spec.exits']), [
    {
      cel: '!has(self.heads.revision) || !has(self.exits) || self.exits.size() > 0',
      message: 'heads.revision has no effect with an empty exits list: remove one of them',
      holds: (spec) => spec.heads.revision === undefined || spec.exits?.length !== 0,
    },
  ]),
];
