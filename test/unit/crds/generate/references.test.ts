import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { renderFieldReference } from '../../../../crds/generate/field-reference.ts';
import {
  OPERATOR_METRICS_HEAD,
  SERVER_METRICS_HEAD,
  renderMetricReference,
} from '../../../../crds/generate/metric-reference.ts';
import { REASON_PAGES } from '../../../../crds/generate/reason-pages/reason-pages.ts';
import { renderReasonReference } from '../../../../crds/generate/reason-reference.ts';
import {
  HEAD_REVISION_REFERENCE,
  SERVICE_REFERENCE,
} from '../../../../crds/generate/reference-kinds.ts';
import { SERVER_METRIC_GROUPS } from '../../../../crds/metrics/catalogue.ts';
import { OPERATOR_METRIC_GROUPS } from '../../../../crds/metrics/operator-catalogue.ts';
import { fieldTree, walkFields } from '../../../../crds/schema/field-tree.ts';
import type { Condition } from '../../../../crds/v1alpha1/conditions.ts';
import { REASON_GROUPS } from '../../../../crds/v1alpha1/reasons.ts';
import { planEvents } from '../../../../operator/plan/status/events.ts';
import type { StatusFacts } from '../../../../operator/plan/status/facts.ts';

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
  expect(committed('reasons.md')).toBe(renderReasonReference(REASON_GROUPS, REASON_PAGES));
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

test('an unknown group of reasons keeps its name, and a reason that asks for nothing says so', () => {
  const page = { seen: ['revision Available=True', 'event'], check: 'C.' };
  expect(
    renderReasonReference({ other: { X: { meaning: 'M.', action: '' } } }, { X: page }),
  ).toContain(
    '## other\n\n### X\n\n- **Seen as**: revision `Available=True`, event\n- **Means**: M.\n- **Check**: C.\n- **Fix**: Nothing to do.\n',
  );
});

test('each page of a reason names real conditions, and says in a sentence how to check', () => {
  const types = [
    ...['Ready', 'Valid', 'Available', 'PolicyApplied', 'ExitsActive', 'WithinBudget'],
    ...['RolloutSucceeded', 'Trained', 'AutoscalingActive', 'Stalled', 'Contested', 'Certified'],
  ];
  for (const [name, { seen, check }] of Object.entries(REASON_PAGES)) {
    expect(seen.length, name).toBeGreaterThan(0);
    expect(check, name).toMatch(/^.{20,}[.?`]$/s);
    for (const place of seen) {
      const [, type, status] = /(\w+)=(\w+)$/.exec(place) ?? [];
      if (type === undefined) continue;
      expect(types, name).toContain(type);
      expect(['True', 'False', 'Unknown'], name).toContain(status);
    }
  }
});

test('a page names an event where the operator gives a warning of its condition', () => {
  // What it looks at here: the status before, and no spec.
  const facts = { previous: {}, spec: null } as unknown as StatusFacts;
  const wrong = Object.entries(REASON_PAGES).flatMap(([reason, { seen }]) => {
    const conditions = seen.flatMap((place) => {
      const [, type = '', status = ''] = /^(\w+)=(\w+)$/.exec(place) ?? [];
      return type === '' ? [] : [{ type, status, reason, message: '' } as Condition];
    });
    const isTold = planEvents(facts, {}, conditions).length > 0;
    return isTold && !seen.includes('event') ? [reason] : [];
  });
  expect(wrong).toEqual([]);
});
