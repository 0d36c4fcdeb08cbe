import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { ServerState } from '../../crds/wire/state.ts';
import { definedAnswers } from '../../server/core/known-answer.ts';
import type { HeadRevisionFacts } from '../lifecycle/types.ts';
import { pathCosts } from './model-costs.ts';

/** Known-answer classes as server/core gives them: a server that disagrees runs something else. */
export function knownAnswersOf(bundle: HeadBundle): number[][] {
  return bundle.heads.map((head) => [...definedAnswers(head, bundle.classCount).classes]);
}

/** What decisions need of a revision; costs are those measured last. */
export function revisionFacts(
  headRevision: string,
  bundle: HeadBundle,
  measured: {
    readonly state: ServerState;
    readonly batchSize: number;
    readonly knownAnswers: readonly (readonly number[])[];
  },
): HeadRevisionFacts {
  return {
    headRevision,
    exits: bundle.heads.map(({ exit }) => exit),
    knownAnswers: measured.knownAnswers,
    pathCost: pathCosts(bundle, measured.state, measured.batchSize),
  };
}
