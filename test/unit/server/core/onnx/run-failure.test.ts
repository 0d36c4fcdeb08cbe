import { expect, test } from 'vitest';
import { describeRunFailure } from '../../../../../server/core/onnx/run-failure.ts';

// As onnxruntime 1.30 says them.
const RESHAPE =
  "Non-zero status code returned while running Reshape node. Name:'view' Status Message: " +
  '/onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:91 onnxruntime::ReshapeHelper::ReshapeHelper(const ' +
  'onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, bool) input_shape_size == requested_shape_size was false. The input ' +
  'tensor cannot be reshaped to the requested shape. Input shape:{2,8,1,1}, requested shape:{1,8}';
const UNKNOWN =
  'This is an invalid model. In Node, ("act", Swishy, "", -1) : ("r1": tensor(float),) -> ("r2",) , Error No Op registered for ' +
  'Swishy with domain_version of 17';
const UNIMPLEMENTED = "Could not find an implementation for Conv(11) node with name 'node_conv2d'";

test('a number of rows that is fixed is told with the operator that holds to it, without the source of the runtime', () => {
  expect(describeRunFailure(RESHAPE, 1)).toBe(
    'its number of rows is fixed to 1, and it cannot run with another: Reshape view fails (The input tensor cannot be reshaped to the ' +
      'requested shape. Input shape:{2,8,1,1}, requested shape:{1,8}); export it with a free batch axis (PyTorch: torch.onnx.export ' +
      'with dynamic_shapes or dynamic_axes, Keras: shape (None, ...))',
  );
});

test('an operator that fixes the rows behind a free batch axis is named', () => {
  expect(describeRunFailure(RESHAPE, null)).toMatch(
    /^onnxruntime cannot run it with more than one row: Reshape view fails .* stays free through that Reshape$/,
  );
});

test.each([
  [UNKNOWN, 'Swishy of version 17'],
  [UNIMPLEMENTED, 'Conv of version 11'],
])(
  'an operator that the runtime lacks is not taken for one of too many rows: %s',
  (message, op) => {
    expect(describeRunFailure(message, 1)).toBe(
      `onnxruntime has no operator ${op}: export the model with another opset_version, or replace that operator`,
    );
  },
);

test('anything else is told in the words of the runtime', () => {
  expect(describeRunFailure('Type Error: Type mismatch.', null)).toBe(
    'onnxruntime cannot run it with more than one row: Type Error: Type mismatch; export it with a batch axis that stays free through every operator',
  );
});
