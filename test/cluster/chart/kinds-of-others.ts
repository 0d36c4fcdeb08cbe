// Kinds of the operators of Prometheus and Grafana, whose objects the chart makes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { programFolder } from '../harness/programs.ts';

/** Applies them and waits until the API server takes their objects. */
export async function installKinds(plane: ControlPlane): Promise<void> {
  const path = join(await programFolder('kinds'), 'monitoring-kinds.yaml');
  const ofPrometheus = readFileSync(path, 'utf8');
  const input = `${ofPrometheus}\n---\n${JSON.stringify(GRAFANA_DASHBOARD)}\n`;
  const applied = await plane.kubectl(['apply', '--server-side', '-f', '-'], { input });
  expect(applied.code, applied.stderr).toBe(0);
  for (const kind of KINDS) {
    await eventually(async () => {
      const { status } = await plane.request({ path: kind });
      expect(status, kind).toBe(200);
    }, 60_000);
  }
}

const KINDS = [
  ...['podmonitors', 'servicemonitors', 'prometheusrules'].map(
    (plural) => `/apis/monitoring.coreos.com/v1/${plural}`,
  ),
  '/apis/grafana.integreatly.org/v1beta1/grafanadashboards',
];

/**
 * No registry serves the definitions of the Grafana operator: these are the fields that the chart sets, with the rules
 * of its version 5 about them, and no others, so that any further one is refused.
 */
const GRAFANA_DASHBOARD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'grafanadashboards.grafana.integreatly.org' },
  spec: {
    group: 'grafana.integreatly.org',
    scope: 'Namespaced',
    names: { kind: 'GrafanaDashboard', plural: 'grafanadashboards', singular: 'grafanadashboard' },
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['instanceSelector'],
                properties: {
                  allowCrossNamespaceImport: { type: 'boolean' },
                  folder: { type: 'string' },
                  instanceSelector: {
                    type: 'object',
                    properties: {
                      matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
                    },
                    'x-kubernetes-validations': [
                      { rule: 'self == oldSelf', message: 'spec.instanceSelector is immutable' },
                    ],
                  },
                  configMapRef: {
                    type: 'object',
                    required: ['key'],
                    properties: { name: { type: 'string' }, key: { type: 'string' } },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};
