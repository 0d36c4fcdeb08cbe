import type { ServerState } from '../../crds/wire/state.ts';

/** Why no exit inside a model is possible, with the way out; null: it has cuts. */
export function whyUncut({
  backbone,
  cuts,
  rejectedCuts,
}: Pick<ServerState, 'backbone' | 'cuts' | 'rejectedCuts'>): string | null {
  if (cuts.length > 0) return null;
  if (backbone.outputProblem !== null) return backbone.outputProblem.message;
  // What another export could change comes first (`findCuts`).
  const [first] = rejectedCuts;
  const example = first === undefined ? '' : ` (${first.tensor}: ${first.reason})`;
  return (
    `The model has no tensor where it can be cut${example}, so no exit inside it is possible. ` +
    'A companion, a small model of the same classes, can answer before it: exits[].model.'
  );
}
