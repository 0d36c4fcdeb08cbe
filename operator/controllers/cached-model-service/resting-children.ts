import { planChildren, type ChildrenInput, type ChildrenPlan } from '../../plan/children.ts';

/**
 * Plans the children of one service, and remembers what was asked while each of them was found as it shall be. Asked the same again
 * there is nothing to apply, and nothing is rendered or compared: most passes are about what pods said. Only the question is kept,
 * whose objects lie in the caches anyway: the bodies of a thousand services would take 15 MiB.
 */
export interface RestingChildren {
  /** The plan; without children to apply where all of them stand. */
  plan(input: ChildrenInput): ChildrenPlan;
  /** @param isAtRest every child of the last plan was applied and nothing was written or removed */
  applied(isAtRest: boolean): void;
}

interface Answer {
  readonly input: ChildrenInput;
  readonly plan: ChildrenPlan;
}

export function createRestingChildren(): RestingChildren {
  let asked: Answer | null = null;
  let atRest: Answer | null = null;
  return {
    plan: (input) => {
      if (atRest !== null && isSame(atRest.input, input)) {
        asked = atRest;
        return atRest.plan;
      }
      const plan = planChildren(input);
      atRest = null;
      asked = { input, plan: { ...plan, apply: [] } };
      return plan;
    },
    applied: (isAtRest) => {
      atRest = isAtRest ? asked : null;
      asked = null;
    },
  };
}

/** Objects of caches are replaced, never changed, so the same one says the same. */
function isSame(a: ChildrenInput, b: ChildrenInput): boolean {
  return (
    a.service === b.service &&
    a.defaults === b.defaults &&
    a.installation === b.installation &&
    a.adminGeneration === b.adminGeneration &&
    a.isDeploymentHeld === b.isDeploymentHeld &&
    a.live.length === b.live.length &&
    a.live.every((object, i) => object === b.live[i])
  );
}
