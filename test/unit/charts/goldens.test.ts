import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { helm, MAJORS, renderObjects, CHART } from './helm.ts';
import { SCENARIOS } from './scenarios.ts';

test.each(['defaults', 'HA', 'namespaced'])('%s renders what was reviewed', async (scenario) => {
  const objects = await renderObjects({ values: SCENARIOS[scenario] ?? {} });
  // The schemas of the definitions are in crds/ already.
  const shown = objects.map((one) =>
    one.kind === 'CustomResourceDefinition' ? { ...one, spec: '(crds/)' } : one,
  );
  const text = shown.map((one) => stringify(one, { lineWidth: 0 })).join('---\n');
  await expect(text).toMatchFileSnapshot(`../../golden/charts/${scenario.toLowerCase()}.yaml`);
});

test.each(MAJORS)('Helm %i finds nothing to say about the chart', async (major) => {
  for (const values of Object.values(SCENARIOS)) {
    const { code, stdout, stderr } = await helm(
      major,
      ['lint', '--strict', CHART, '--namespace', 'layercache-system', '--values', '-'],
      values,
    );
    expect(code, `${stdout}${stderr}`).toBe(0);
  }
});
