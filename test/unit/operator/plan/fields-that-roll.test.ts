import { expect, test } from 'vitest';

import { fieldTree, walkFields, type FieldNode } from '../../../../crds/schema/field-tree.ts';
import { chooseTemplate, type TemplatePlan } from '../../../../operator/plan/choose-template.ts';
import { serializeTemplateRecord } from '../../../../operator/plan/template-record.ts';
import { canonicalJson } from '../../../../crds/wire/json.ts';
import { toServiceToPlan } from '../../../../operator/plan/service.ts';
import { cachedModelService } from '../../../../crds/v1alpha1/cached-model-service.ts';
import { aManifest } from '../../crds/v1alpha1/service.ts';
import { DEFAULTS, UID } from './builders.ts';

type Rendered = Extract<TemplatePlan, { kind: 'Render' }>;
type Effect = 'rolls' | 'hot';
/** Field, what it does, its value in one spec and in the other; null: absent. */
type Row = readonly [path: string, effect: Effect, before: unknown, after: unknown];

const DIGEST = `sha256:${'d'.repeat(64)}`;
const MODEL = 'spec.exits[].model';
const S3 = 'spec.heads.store.s3';
const OCI = 'spec.heads.store.oci';

/** Every field of the spec; a field that is missing here fails a test. */
const ROWS: readonly Row[] = [
  // Immutable, so it never changes under a pod; it is in its environment all the same.
  ['spec.modelName', 'rolls', null, 'other'],
  ['spec.backbone.uri', 'rolls', 'https://a.example/1', 'https://a.example/2'],
  ['spec.backbone.format', 'rolls', null, 'ONNX'],
  ['spec.backbone.digest', 'rolls', null, DIGEST],
  ['spec.backbone.outputName', 'rolls', null, 'logits'],
  ['spec.backbone.task', 'rolls', null, 'Detection'],
  ['spec.backbone.credentialsSecretName', 'rolls', null, 'read'],
  ['spec.backbone.caBundleConfigMapName', 'rolls', null, 'ca'],
  ['spec.accuracy.maxDisagreement', 'hot', '1%', '2%'],
  ['spec.accuracy.confidence', 'hot', null, '99%'],
  ['spec.accuracy.agreement', 'hot', null, 'F1'],
  ['spec.accuracy.auditRate', 'hot', null, '5%'],
  ['spec.accuracy.minAudits', 'hot', null, 500],
  ['spec.exitMode', 'hot', null, 'Shadow'],
  ['spec.exits[].name', 'hot', 'early', 'late'],
  ['spec.exits[].tensor', 'hot', 'a', 'b'],
  ['spec.exits[].sourceHeader', 'hot', null, 'x-camera'],
  ['spec.exits[].mode', 'hot', null, 'Shadow'],
  [`${MODEL}.uri`, 'rolls', 'https://a.example/s1', 'https://a.example/s2'],
  [`${MODEL}.format`, 'rolls', null, 'ONNX'],
  [`${MODEL}.digest`, 'rolls', null, DIGEST],
  [`${MODEL}.outputName`, 'rolls', null, 'y'],
  [`${MODEL}.credentialsSecretName`, 'rolls', null, 'read'],
  ['spec.tuning.mode', 'hot', null, 'Recommend'],
  ['spec.tuning.maxActiveExits', 'hot', null, 2],
  ['spec.tuning.minSaving', 'hot', null, '5%'],
  ['spec.tuning.maxOverhead', 'hot', null, '9%'],
  ['spec.heads.revision', 'hot', null, 'mine'],
  ['spec.heads.historyLimit', 'hot', null, 3],
  ['spec.heads.training.mode', 'hot', null, 'Off'],
  ['spec.heads.training.triggers', 'hot', null, ['Alarm']],
  ['spec.heads.training.student', 'rolls', null, 'Auto'],
  // Nothing is held before a student is wanted.
  ['spec.heads.training.inputs.maxSize', 'hot', null, '128Mi'],
  ['spec.heads.training.inputs.retention', 'hot', null, '2h'],
  ['spec.heads.training.cooldown', 'hot', null, '1h'],
  ['spec.heads.training.deadline', 'hot', null, '1h'],
  ['spec.heads.training.resources.limits', 'hot', null, { memory: '4Gi' }],
  ['spec.heads.training.resources.requests', 'hot', null, { cpu: 2 }],
  ['spec.heads.training.resources.claims', 'hot', null, [{ name: 'a' }]],
  ['spec.heads.training.podTemplate', 'hot', null, { spec: {} }],
  ['spec.heads.training.serviceAccountName', 'hot', null, 'trainer'],
  // The default store by another word.
  ['spec.heads.store.configMap', 'hot', null, {}],
  [`${S3}.uri`, 'rolls', 's3://a/1', 's3://a/2'],
  [`${S3}.pullSecretName`, 'rolls', null, 'pull'],
  // The trainer's alone.
  [`${S3}.pushSecretName`, 'hot', null, 'push'],
  [`${S3}.caBundleConfigMapName`, 'rolls', null, 'ca'],
  [`${OCI}.repository`, 'rolls', 'r.example/1', 'r.example/2'],
  [`${OCI}.pullSecretName`, 'rolls', null, 'pull'],
  [`${OCI}.pushSecretName`, 'hot', null, 'push'],
  [`${OCI}.caBundleConfigMapName`, 'rolls', null, 'ca'],
  ['spec.rollout.steps[].share', 'hot', '100%', '50%'],
  ['spec.rollout.steps[].hold', 'hot', null, '1m'],
  ['spec.rollout.minRequests', 'hot', null, 5],
  ['spec.rollout.paused', 'hot', null, true],
  ['spec.rollout.checks[].type', 'hot', 'ErrorRate', 'LatencyP50'],
  ['spec.rollout.checks[].maxRegression', 'hot', '1%', '2%'],
  ['spec.rollout.stepDeadline', 'hot', null, '1h'],
  ['spec.rollout.onInconclusive', 'hot', null, 'Abort'],
  ['spec.rollout.progressDeadline', 'hot', null, '1h'],
  ['spec.rollout.stickyHeader', 'hot', null, 'x-tenant'],
  ['spec.server.image', 'rolls', null, 'r.example/server:2'],
  ['spec.server.imagePullPolicy', 'rolls', null, 'Always'],
  ['spec.server.imagePullSecretNames', 'rolls', null, ['regcred']],
  ['spec.server.engine', 'rolls', null, 'ONNX'],
  ['spec.server.batching.maxBatchSize', 'hot', null, 8],
  ['spec.server.batching.maxQueueDelay', 'hot', null, '5ms'],
  ['spec.server.batching.maxQueueLength', 'hot', null, 2048],
  ['spec.server.limits.maxRequestSize', 'hot', null, '32Mi'],
  ['spec.server.limits.maxConcurrentRequests', 'hot', null, 8],
  ['spec.server.limits.requestTimeout', 'hot', null, '1s'],
  ['spec.server.warmup.iterations', 'rolls', null, 7],
  ['spec.server.warmup.inputsConfigMapName', 'rolls', null, 'warm'],
  ['spec.server.startupDeadline', 'rolls', null, '1h'],
  ['spec.server.drain.delay', 'rolls', null, '20s'],
  ['spec.server.drain.timeout', 'rolls', null, '20s'],
  ['spec.server.policyMaxAge', 'hot', null, '1m'],
  ['spec.server.logLevel', 'hot', null, 'Debug'],
  ['spec.replicas', 'hot', null, 3],
  ['spec.suspend', 'hot', null, true],
  ['spec.autoscaling.minReplicas', 'hot', null, 2],
  ['spec.autoscaling.maxReplicas', 'hot', 8, 9],
  ['spec.autoscaling.metrics', 'hot', null, [{ type: 'Pods' }]],
  ['spec.autoscaling.behavior', 'hot', null, { scaleDown: {} }],
  ['spec.pod.resources.limits', 'rolls', null, { 'nvidia.com/gpu': 1 }],
  ['spec.pod.resources.requests', 'rolls', null, { cpu: 2 }],
  ['spec.pod.resources.claims', 'rolls', null, [{ name: 'a' }]],
  ['spec.pod.nodeSelector', 'rolls', null, { disk: 'ssd' }],
  ['spec.pod.tolerations', 'rolls', null, [{ operator: 'Exists' }]],
  ['spec.pod.affinity', 'rolls', null, { nodeAffinity: {} }],
  ['spec.pod.topologySpreadConstraints', 'rolls', null, [{ maxSkew: 1 }]],
  ['spec.pod.resourceClaims', 'rolls', null, [{ name: 'gpu' }]],
  ['spec.pod.runtimeClassName', 'rolls', null, 'nvidia'],
  ['spec.pod.priorityClassName', 'rolls', null, 'serving'],
  ['spec.pod.serviceAccountName', 'rolls', null, 'cloud'],
  ['spec.pod.labels', 'rolls', null, { team: 'vision' }],
  ['spec.pod.annotations', 'rolls', null, { team: 'vision' }],
  ['spec.podTemplate', 'rolls', null, { spec: { hostAliases: [] } }],
  ['spec.updateStrategy.type', 'hot', null, 'Recreate'],
  ['spec.updateStrategy.maxSurge', 'hot', null, 2],
  ['spec.updateStrategy.maxUnavailable', 'hot', null, 2],
  ['spec.upgradePolicy', 'hot', null, 'Automatic'],
  ['spec.podDisruptionBudget.mode', 'hot', null, 'Disabled'],
  ['spec.podDisruptionBudget.minAvailable', 'hot', null, 2],
  ['spec.podDisruptionBudget.maxUnavailable', 'hot', null, 2],
  ['spec.networkPolicy.mode', 'hot', null, 'Enabled'],
  ['spec.networkPolicy.from', 'hot', null, [{ podSelector: {} }]],
  ['spec.networkPolicy.egress', 'hot', null, []],
];

/** What a field's neighbours must be for it to mean anything. */
const BESIDE: readonly (readonly [prefix: string, spec: object])[] = [
  [MODEL, { exits: [{ name: 'small', model: { uri: 'https://a.example/s' } }] }],
  ['spec.exits[]', { exits: [{ name: 'early', tensor: 't' }] }],
  [S3, { heads: { store: { s3: { uri: 's3://a/b' } } } }],
  [OCI, { heads: { store: { oci: { repository: 'r.example/h' } } } }],
  ['spec.rollout.steps[]', { rollout: { steps: [{ share: '100%' }] } }],
  ['spec.rollout.checks[]', { rollout: { checks: [{ type: 'Saving', maxRegression: '1%' }] } }],
  ['spec.autoscaling', { autoscaling: { maxReplicas: 8 } }],
];

function renderWith(path: string, value: unknown, recorded?: string): Rendered {
  const beside = BESIDE.find(([prefix]) => path.startsWith(prefix))?.[1] ?? {};
  const manifest = structuredClone(aManifest({ ...beside })) as Record<string, unknown>;
  if (value !== null) setAt(manifest, path, value);
  const parsed = cachedModelService.parse({
    ...manifest,
    metadata: { name: 'vision', namespace: 'ml', uid: UID, generation: 1 },
  });
  const chosen = chooseTemplate({
    service: toServiceToPlan(parsed),
    adminGeneration: 1,
    inputs: DEFAULTS.template,
    recorded,
  });
  if (chosen.kind !== 'Render') throw new Error(`${path}: ${chosen.kind}`);
  return chosen;
}

function setAt(root: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.replaceAll('[]', '.0').split('.');
  let at = root;
  for (const step of steps.slice(0, -1)) {
    at[step] ??= {};
    at = at[step] as Record<string, unknown>;
  }
  at[String(steps.at(-1))] = value;
}

test.each(ROWS)('%s %s', (path, effect, before, after) => {
  const first = canonicalJson(renderWith(path, before).template);
  const second = canonicalJson(renderWith(path, after).template);
  expect(first === second ? 'hot' : 'rolls').toBe(effect);
});

test.each(ROWS)('%s, changed and changed back, leaves no trace', (path, _, before, after) => {
  const first = renderWith(path, before);
  const edited = renderWith(path, after, serializeTemplateRecord(first.record));
  const back = renderWith(path, before, serializeTemplateRecord(edited.record));
  expect(back).toEqual(first);
});

test('every field of the spec is known to roll pods or to be hot', () => {
  const isLeaf = (node: FieldNode | undefined): boolean =>
    Object.keys(node?.properties ?? {}).length === 0;
  const leaves: string[] = [];
  walkFields(fieldTree(), (path, node) => {
    if (path.startsWith('spec.') && isLeaf(node) && isLeaf(node.items)) leaves.push(path);
  });
  expect(leaves.sort()).toEqual(ROWS.map(([path]) => path).sort());
});
