import type { CachedModelService } from '../../crds/v1alpha1/cached-model-service.ts';
import { STUDENT_EXIT } from '../../crds/wire/student.ts';
import type { ExitCandidate } from '../lifecycle/types.ts';

/** The exits that people are told of: a student, where one is wanted, is none of the manifest and comes with its heads. */
export function shownExits(
  { spec }: CachedModelService,
  exits: readonly ExitCandidate[],
): readonly ExitCandidate[] {
  if (spec.heads.training.student === 'Off') return exits;
  return [{ name: STUDENT_EXIT, mode: 'Active', macsShare: 0, msShare: 0 }, ...exits];
}
