// Which exits of a head revision may answer, and what its certified lambda saves.
import { STUDENT_EXIT } from '../../crds/wire/student.ts';
import { predictedSaving } from '../stats/cost.ts';
import { latestLook } from './attempts.ts';
import type { Attempt } from './ledger.ts';
import { factsOf, type Tick } from './tick.ts';
import type { BackboneFacts } from './types.ts';

/** The first exits of a revision up to one that is not Active: a cut keeps the certificate (lemma of exits.md 2). A student always is. */
export function activeExits(exits: readonly string[], backbone: BackboneFacts): readonly string[] {
  const mode = new Map(backbone.exits.map((exit) => [exit.name, exit.mode]));
  const first = exits.findIndex((exit) => exit !== STUDENT_EXIT && mode.get(exit) !== 'Active');
  return first === -1 ? exits : exits.slice(0, first);
}

/** Net saving that the newest look predicts at this lambda, with the costs of now; null without a look, a lambda or facts. */
export function predictSaving(
  evidence: Attempt,
  lambdaIndex: number | null,
  headRevision: string,
  tick: Tick,
): number | null {
  const look = latestLook(evidence);
  const facts = factsOf(tick, headRevision);
  if (look === null || lambdaIndex === null || facts === null) return null;
  const active = activeExits(facts.exits, tick.backbone).length;
  return predictedSaving(look.grid, lambdaIndex, {
    pathCost: facts.pathCost,
    activeExits: active,
  });
}
