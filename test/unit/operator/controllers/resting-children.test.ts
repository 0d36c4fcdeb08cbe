import { expect, test } from 'vitest';
import {
  createRestingChildren,
  type RestingChildren,
} from '../../../../operator/controllers/cached-model-service/resting-children.ts';
import { planChildren, type ChildrenInput } from '../../../../operator/plan/children.ts';
import {
  aServiceToPlan,
  DEFAULTS,
  INSTALLATION,
  NEWER_DEFAULTS,
  stored,
} from '../plan/builders.ts';

const service = aServiceToPlan();
const [account, other] = planChildren(asked([])).apply;
const live = [stored(account!), stored(other!)];

function asked(
  objects: ChildrenInput['live'],
  changes: Partial<ChildrenInput> = {},
): ChildrenInput {
  return {
    ...{ service, defaults: DEFAULTS, installation: INSTALLATION, adminGeneration: 1 },
    ...{ live: objects, isDeploymentHeld: false },
    ...changes,
  };
}

function resting(): RestingChildren {
  const children = createRestingChildren();
  children.plan(asked(live));
  children.applied(true);
  return children;
}

test('children that all stood as they shall are not applied again while the question is the same', () => {
  const children = createRestingChildren();
  const first = children.plan(asked(live));
  expect(first).toEqual(planChildren(asked(live)));
  children.applied(true);
  for (let pass = 0; pass < 3; pass++) {
    expect(children.plan(asked([...live]))).toEqual({ ...first, apply: [] });
    children.applied(true);
  }
});

test.each<[string, Partial<ChildrenInput>]>([
  ['a live object was replaced by another version', { live: [live[0]!, { ...live[1]! }] }],
  ['a live object is gone', { live: [live[0]!] }],
  ['the service was read anew', { service: aServiceToPlan() }],
  ['keys are of another generation', { adminGeneration: 2 }],
  ['defaults differ', { defaults: NEWER_DEFAULTS }],
  ['the installation differs', { installation: { ...INSTALLATION, release: 'other' } }],
  ['the Deployment is held', { isDeploymentHeld: true }],
])('all are planned again when %s', (_, changes) => {
  const input = asked(live, changes);
  expect(resting().plan(input)).toEqual(planChildren(input));
});

test('what was written, refused or held is planned again, also after an earlier rest', () => {
  const children = resting();
  children.plan(asked(live, { adminGeneration: 2 }));
  children.applied(false);
  expect(children.plan(asked(live, { adminGeneration: 2 })).apply).not.toEqual([]);
  expect(children.plan(asked(live)).apply).not.toEqual([]);
});

test('a pass that broke off leaves no rest behind', () => {
  const children = resting();
  children.plan(asked(live, { adminGeneration: 2 }));
  expect(children.plan(asked(live)).apply).not.toEqual([]);
});
