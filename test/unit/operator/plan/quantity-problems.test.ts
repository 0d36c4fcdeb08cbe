import { expect, test } from 'vitest';

import { quantityProblems } from '../../../../operator/plan/quantity-problems.ts';
import { planDeployment } from '../../../../operator/plan/deployment.ts';
import { aServiceToPlan, DEFAULTS } from './builders.ts';

const limits = (memory: unknown, list = 'containers'): Parameters<typeof quantityProblems>[0] => {
  const container = { name: 'server', resources: { limits: { memory } } };
  // A user may write anything there.
  return { spec: { [list]: [container] } } as unknown as Parameters<typeof quantityProblems>[0];
};

test.each(['1', '0.5', '.5', '2.', '-1', '+3', '500m', '4Gi', '1E', '1e3', '12E-3', '7k', '100n'])(
  '%s is a quantity',
  (value) => {
    expect(quantityProblems(limits(value))).toEqual([]);
  },
);

test.each(['', '1Gx', '1 Gi', '1gi', '1KI', 'Gi', '1e', '.', '1Gii', '1.2.3', '0x1'])(
  '"%s" is none, and is named with its field and what to write',
  (value) => {
    expect(quantityProblems(limits(value, 'initContainers'))).toEqual([
      {
        path: '.spec.template.spec.initContainers[name="server"].resources.limits["memory"]',
        message: `"${value}" is not a quantity: write for example 500m, 2 or 4Gi`,
      },
    ]);
  },
);

test('a number is a quantity, and other types are for the API server to refuse', () => {
  for (const value of [1, 0.5, true, null, {}]) {
    expect(quantityProblems(limits(value))).toEqual([]);
  }
});

test('a service with one has no Deployment to apply, but the problem', () => {
  const service = aServiceToPlan({ pod: { resources: { requests: { cpu: 'two' } } } });
  const plan = planDeployment({ service, defaults: DEFAULTS, live: null, adminGeneration: 1 });
  expect(plan).toMatchObject({
    ok: false,
    problems: [{ path: '.spec.template.spec.containers[name="server"].resources.requests["cpu"]' }],
  });
});
