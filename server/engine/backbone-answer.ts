// The backbone's known answer: what it gives for one fixed row, as the first host of this process gave it. Evidence compares heads with
// the backbone and cannot see that the backbone itself went wrong; this can.

/** Outputs of the model in order, for the fixed row. */
export type BackboneAnswer = readonly Float32Array[];

const TOLERANCE = 1e-3;

export function isSameAnswer(expected: BackboneAnswer, answer: BackboneAnswer): boolean {
  return (
    expected.length === answer.length &&
    expected.every((values, output) => isSameOutput(values, answer[output]))
  );
}

function isSameOutput(expected: Float32Array, values: Float32Array | undefined): boolean {
  return (
    values?.length === expected.length &&
    expected.every((value, i) => isClose(value, values[i] ?? NaN))
  );
}

/** A model may give NaN for numbers that no client would send: then it always does. */
function isClose(a: number, b: number): boolean {
  if (!Number.isFinite(a)) return Object.is(a, b);
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a));
}
