import { expect, test } from 'vitest';
import { MAJORS, render, renderObjects, type ChartObject } from './helm.ts';
import { problemsOf } from './policy-rules.ts';
import {
  KINDS_OF_MONITORING,
  KUBE_VERSIONS,
  MONITORING,
  SCENARIOS,
  valuesFor,
} from './scenarios.ts';

const plain: readonly string[] = [];

/** 8 installations x 3 versions of Kubernetes x with and without the kinds of monitoring, by both Helms. */
const CASES = Object.keys(SCENARIOS).flatMap((scenario) =>
  KUBE_VERSIONS.flatMap((kubeVersion) =>
    [plain, MONITORING].map((apiVersions) => ({ scenario, kubeVersion, apiVersions })),
  ),
);

function kindsOf(objects: readonly ChartObject[]): readonly string[] {
  return [...new Set(objects.map(({ kind }) => kind))].sort();
}

test.each(CASES)(
  '$scenario on Kubernetes $kubeVersion with $apiVersions keeps every rule, the same by both Helms',
  async ({ scenario, kubeVersion, apiVersions }) => {
    const values = valuesFor(scenario, kubeVersion);
    const [helm3 = [], helm4 = []] = await Promise.all(
      MAJORS.map((major) => renderObjects({ major, values, kubeVersion, apiVersions })),
    );
    expect(problemsOf(helm4)).toEqual([]);
    expect(kindsOf(helm4).includes('CustomResourceDefinition')).toBe(scenario !== 'all off');
    expect(helm3).toEqual(helm4);
    const monitoring = kindsOf(helm4).filter((kind) => KINDS_OF_MONITORING.includes(kind));
    if (apiVersions.length === 0 || scenario !== 'all on') expect(monitoring).toEqual([]);
    else expect(monitoring).toContain('PodMonitor');
  },
);

test('admission policies are refused where Kubernetes has none', async () => {
  const values = { admissionPolicies: { protectState: true } };
  await expect(renderObjects({ values, kubeVersion: '1.29.0' })).rejects.toThrow(
    'admissionPolicies need Kubernetes 1.30 and this is v1.29.0',
  );
});

test('Kubernetes before 1.29 is refused, one of a vendor is not', async () => {
  expect((await render({ kubeVersion: '1.28.9' })).ok).toBe(false);
  expect((await render({ kubeVersion: '1.29.0-gke.100' })).ok).toBe(true);
});
