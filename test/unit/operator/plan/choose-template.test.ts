import { describe, expect, test } from 'vitest';

import {
  chooseTemplate,
  TEMPLATE_RENDERERS,
  type TemplatePlan,
  type TemplateRenderer,
  type TemplateRequest,
} from '../../../../operator/plan/choose-template.ts';
import { fingerprint } from '../../../../operator/plan/fingerprint.ts';
import {
  parseTemplateRecord,
  serializeTemplateRecord,
} from '../../../../operator/plan/template-record.ts';
import { aServiceToPlan, DEFAULTS, NEWER_DEFAULTS } from './builders.ts';

/** What a later operator would have: one more version, which differs. */
const SECOND: TemplateRenderer = (service, inputs, generation) => {
  const first = TEMPLATE_RENDERERS[0]!(service, inputs, generation);
  return first === null ? null : { ...first, spec: { ...first.spec!, hostname: 'two' } };
};
const NEWER = [...TEMPLATE_RENDERERS, SECOND];

function request(fields: Partial<TemplateRequest> = {}): TemplateRequest {
  return {
    service: aServiceToPlan(),
    adminGeneration: 1,
    inputs: DEFAULTS.template,
    recorded: undefined,
    ...fields,
  };
}

type Rendered = Extract<TemplatePlan, { kind: 'Render' }>;

function render(
  fields: Partial<TemplateRequest>,
  renderers?: readonly TemplateRenderer[],
): Rendered {
  const plan = chooseTemplate(request(fields), renderers);
  if (plan.kind !== 'Render') throw new Error(plan.kind);
  return plan;
}

const FIRST = render({});
const recorded = serializeTemplateRecord(FIRST.record);

test('the first template is the newest version with the chart of the day, and is recorded', () => {
  expect(FIRST.record).toMatchObject({ templateVersion: 1, inputs: DEFAULTS.template });
  expect(parseTemplateRecord(recorded)).toEqual(FIRST.record);
});

describe('an operator upgrade', () => {
  test('with other chart defaults changes no pod', () => {
    const plan = render({ recorded, inputs: NEWER_DEFAULTS.template });
    expect(plan).toEqual(FIRST);
  });
  test('with another template version changes no pod', () => {
    const plan = render({ recorded, inputs: NEWER_DEFAULTS.template }, NEWER);
    expect(plan).toEqual(FIRST);
  });
  test('changes no pod when a hot field is edited at the same time', () => {
    const service = aServiceToPlan({ replicas: 3, server: { logLevel: 'Debug' } });
    const plan = render({ service, recorded, inputs: NEWER_DEFAULTS.template }, NEWER);
    expect(plan.template).toEqual(FIRST.template);
  });
  test('reaches pods with the next edit that rolls them anyway', () => {
    const service = aServiceToPlan({ server: { engine: 'ONNX' } });
    const plan = render({ service, recorded, inputs: NEWER_DEFAULTS.template }, NEWER);
    expect(plan.record).toMatchObject({ templateVersion: 2, inputs: NEWER_DEFAULTS.template });
    expect(plan.template.spec!.hostname).toBe('two');
    expect(plan.template.spec!.containers[0]!.image).toBe(NEWER_DEFAULTS.template.image);
  });
  test('reaches pods at once with upgradePolicy Automatic', () => {
    const service = aServiceToPlan({ upgradePolicy: 'Automatic' });
    const plan = render({ service, recorded, inputs: NEWER_DEFAULTS.template });
    expect(plan.template.spec!.containers[0]!.image).toBe(NEWER_DEFAULTS.template.image);
  });
});

test('new admin keys roll pods without bringing anything else', () => {
  const plan = render({ recorded, adminGeneration: 2, inputs: NEWER_DEFAULTS.template }, NEWER);
  expect(plan.record).toEqual(FIRST.record);
  const before = JSON.stringify(FIRST.template);
  expect(plan.template).toEqual(JSON.parse(before.replace('vision-admin-g1', 'vision-admin-g2')));
});

test('an edit and its reversal give what the newest operator would give, whatever came between', () => {
  const edited = render({ service: aServiceToPlan({ server: { engine: 'ONNX' } }), recorded });
  const back = render({ recorded: serializeTemplateRecord(edited.record) });
  expect(back).toEqual(FIRST);
});

test('after a downgrade the template of the newer operator stays', () => {
  const newer = render({ inputs: DEFAULTS.template }, NEWER);
  expect(chooseTemplate(request({ recorded: serializeTemplateRecord(newer.record) }))).toEqual({
    kind: 'Keep',
    templateVersion: 2,
  });
});

test.each([
  ['absent', undefined],
  ['no JSON', '{'],
  ['another shape', '{"templateVersion":0}'],
])('a record that is %s counts as none', (_, text) => {
  expect(parseTemplateRecord(text)).toBeNull();
  expect(render({ recorded: text })).toEqual(FIRST);
});

test('recorded inputs that their version cannot read give way to the chart of the day', () => {
  const record = { ...FIRST.record, inputs: { image: 7 } };
  expect(render({ recorded: serializeTemplateRecord(record) })).toEqual(FIRST);
});

test('chart defaults that the newest version cannot read are refused', () => {
  expect(chooseTemplate(request({ inputs: {} }))).toEqual({
    kind: 'Refuse',
    problems: [
      {
        path: '.spec.template',
        message: 'version 1 does not know these inputs: correct the chart values',
      },
    ],
  });
});

test('an override that breaks the template is refused and the record kept for later', () => {
  const service = aServiceToPlan({ podTemplate: { spec: { automountServiceAccountToken: true } } });
  expect(chooseTemplate(request({ service, recorded })).kind).toBe('Refuse');
});

test('labels of the pod may not take it out of its own selector', () => {
  const labels = { 'layercache.io/service': 'x', team: 'vision' };
  const service = aServiceToPlan({ pod: { labels } });
  expect(chooseTemplate(request({ service }))).toEqual({
    kind: 'Refuse',
    problems: [
      {
        path: '.spec.pod.labels["layercache.io/service"]',
        message: 'is set by the operator and cannot be changed: remove it',
      },
    ],
  });
});

test('a fingerprint is the same for equal values whatever the order of fields', () => {
  expect(fingerprint({ a: 1, b: 'ü' })).toBe(fingerprint({ b: 'ü', a: 1 }));
  expect(fingerprint({ a: 1 })).not.toBe(fingerprint({ a: 2 }));
  expect(fingerprint({ a: 1 })).toMatch(/^[0-9a-f]{8}$/);
});
