// What onnxruntime says of a graph that it cannot load or run, as a sentence about the model.

/** File, line and signature of its own source, and the condition that did not hold. */
const SOURCE = /\S+\.(?:h|cc|cpp):\d+ .*?(?: was false\. ?|\) (?=[A-Z]))/;
const RUN = /while running (\S+) node\. Name:\s*'([^']*)' Status Message: (.*)/;
const NO_OPERATOR =
  /No Op registered for (\S+) with domain_version of (\d+)|Could not find an implementation for ([\w.]+)\((\d+)\)/;

/**
 * Names the operator that stops a model, and what to do.
 * @param fixedRows rows that the file declares for its input; null: any number
 */
export function describeRunFailure(message: string, fixedRows: number | null): string {
  return missingOperator(message) ?? failingRun(message, fixedRows);
}

function missingOperator(message: string): string | null {
  const found = NO_OPERATOR.exec(message);
  if (found === null) return null;
  const [, op = found[3], version = found[4]] = found;
  return `onnxruntime has no operator ${op} of version ${version}: export the model with another opset_version, or replace that operator`;
}

function failingRun(message: string, fixedRows: number | null): string {
  const [, op = '', name = '', why = message] = RUN.exec(message) ?? [];
  const what = why.replace(SOURCE, '').trim().replace(/\.$/, '');
  const failing = op === '' ? what : `${op} ${name} fails (${what})`;
  return fixedRows === null
    ? `onnxruntime cannot run it with more than one row: ${failing}; export it with a batch axis that stays free through ${op === '' ? 'every operator' : `that ${op}`}`
    : `its number of rows is fixed to ${fixedRows}, and it cannot run with another: ${failing}; export it with a free batch axis ` +
        '(PyTorch: torch.onnx.export with dynamic_shapes or dynamic_axes, Keras: shape (None, ...))';
}
