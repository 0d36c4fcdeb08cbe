// Whether a model can answer before a backbone: for the same rows, in the same classes.
import { EngineError } from '../engine-error.ts';
import type { ModelDescription } from '../segment-engine.ts';

/** Throws EngineError CompanionMismatch. @param name of the exit */
export function checkCompanion(
  name: string,
  companion: ModelDescription,
  backbone: ModelDescription,
): void {
  const problem = problemOf(companion, backbone);
  if (problem === null) return;
  throw new EngineError('CompanionMismatch', `exits[${name}].model ${problem}`);
}

function problemOf(companion: ModelDescription, backbone: ModelDescription): string | null {
  if (companion.outputProblem !== null) {
    return companion.outputProblem.code === 'OutputAmbiguous'
      ? `has several class outputs (${outputsOf(companion)}): name one in its outputName`
      : `has no class output, which is float32 [rows, classes], but ${outputsOf(companion)}: export it with one`;
  }
  if (companion.classCount !== backbone.classCount) {
    return (
      `has ${companion.classCount} classes at ${companion.outputName ?? ''}, the backbone ${backbone.classCount}: ` +
      "name a model of the backbone's own classes"
    );
  }
  const [own, other] = [rowOf(companion), rowOf(backbone)];
  if (own !== other) {
    return `takes rows of [${own}], the backbone of [${other}]: export it with the backbone's input`;
  }
  return companion.digest === backbone.digest
    ? 'is the backbone itself: name a smaller model'
    : null;
}

function outputsOf({ outputs }: ModelDescription): string {
  return outputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
}

function rowOf({ inputs }: ModelDescription): string {
  return (inputs[0]?.shape ?? []).slice(1).join(', ');
}
