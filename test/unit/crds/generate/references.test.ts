import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { renderFieldReference } from '../../../../crds/generate/field-reference.ts';
import {
  OPERATOR_METRICS_HEAD,
  SERVER_METRICS_HEAD,
  renderMetricReference,
} from '../../../../crds/generate/metric-reference.ts';
import { renderReasonReference } from '../../../../crds/generate/reason-reference.ts';
import {
  HEAD_REVISION_REFERENCE,
  SERVICE_REFERENCE,
} from '../../../../crds/generate/reference-kinds.ts';
import { SERVER_METRIC_GROUPS } from '../../../../crds/metrics/catalogue.ts';
import { OPERATOR_METRIC_GROUPS } from '../../../../crds/metrics/operator-catalogue.ts';
import { fieldTree, walkFields } from '../../../../crds/schema/field-tree.ts';
import { REASON_GROUPS } from '../../../../crds/v1alpha1/reasons.ts';

const committed = (file: string): string => readFileSync(`charts/layercache/docs/${file}`, 'utf8');

test('the committed references are what the sources say', () => {
  expect(committed('metrics.md')).toBe(
    renderMetricReference(SERVER_METRICS_HEAD, SERVER_METRIC_GROUPS),
  );
  expect(committed('metrics-operator.md')).toBe(
    renderMetricReference(OPERATOR_METRICS_HEAD, OPERATOR_METRIC_GROUPS),
  );
  expect(committed('manifest.md')).toBe(renderFieldReference(SERVICE_REFERENCE));
  expect(committed('head-revision.md')).toBe(renderFieldReference(HEAD_REVISION_REFERENCE));
  expect(committed('reasons.md')).toBe(renderReasonReference(REASON_GROUPS));
});

test('every field of the spec has a description that ends in a full stop', () => {
  walkFields(fieldTree(), (path, node) => {
    if (path.startsWith('spec.')) expect(node.description ?? '', path).toMatch(/\.$/);
  });
});

test('every leaf of the spec states its bounds, its values or its type', () => {
  walkFields(fieldTree(), (path, node) => {
    if (!path.startsWith('spec.') || node.properties !== undefined || node.type === 'boolean')
      return;
    const isBounded =
      node.bounds !== undefined ||
      node.enum !== undefined ||
      node.items !== undefined ||
      (node.minimum !== undefined && node.maximum !== undefined);
    expect(isBounded, path).toBe(true);
  });
});

test('a bar in a text does not break its table', () => {
  const mode = { type: 'string', description: 'A | B.' };
  const reference = renderFieldReference({
    ...SERVICE_REFERENCE,
    spec: { properties: { mode } },
  });
  expect(reference).toContain('| `spec.mode` | string |  |  | A \\| B. |');
});

test('an unknown group of reasons keeps its name', () => {
  expect(renderReasonReference({ other: { X: { meaning: 'M.', action: '' } } })).toContain(
    '## other\n\n| reason | meaning | what you do |\n| --- | --- | --- |\n| `X` | M. | - |',
  );
});
