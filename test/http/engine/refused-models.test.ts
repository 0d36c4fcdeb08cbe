// What the engine says of ONNX files that it does not serve: the operator or tensor, and what to do.
import { expect, onTestFinished, test } from 'vitest';
import {
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
  type ModelLiteral,
} from '../../../server/core/onnx/build-model.ts';
import { intField, messageField, textField } from '../../../server/core/onnx/wire-write.ts';
import { createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import { modelFile } from '../../support/onnx-models/model-file.ts';

async function refusalOf(bytes: Uint8Array): Promise<string> {
  const file = await modelFile({ bytes });
  onTestFinished(() => file.remove());
  const engine = createOnnxEngine();
  onTestFinished(() => engine.close());
  const source = { path: file.path, outputName: null, digest: null };
  const refused: unknown = await engine.open(source).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'UnsupportedModel' });
  return refused instanceof Error ? refused.message.replaceAll(file.path, 'model.onnx') : '';
}

const graph = (changes: Partial<ModelLiteral> = {}): Uint8Array =>
  buildModel({
    nodes: [node('MatMul', ['x', 'w'], ['h']), node('Relu', ['h'], ['y'])],
    inputs: [floatValue('x', ['rows', 4])],
    outputs: [floatValue('y', null)],
    initializers: [floatTensor('w', [4, 4], new Float32Array(16).fill(0.5))],
    ...changes,
  });

test('a number of rows that an operator holds to is told with the operator', async () => {
  const nodes = [
    node('MatMul', ['x', 'w'], ['h']),
    node('Reshape', ['h', 'shape'], ['flat']),
    node('Relu', ['flat'], ['y']),
  ];
  const initializers = [
    floatTensor('w', [4, 4], new Float32Array(16)),
    int64Tensor('shape', [2], [1, 4]),
  ];
  const said = await refusalOf(graph({ nodes, initializers, inputs: [floatValue('x', [1, 4])] }));
  expect(said).toMatch(
    /^model\.onnx: its number of rows is fixed to 1, and it cannot run with another: Reshape .*requested shape:\{1,4\}.*export it with a free batch axis/,
  );
  expect(said).not.toMatch(/onnxruntime_src|\.h:\d/);
});

test('an operator that the engine lacks is named with its version', async () => {
  const nodes = [node('MatMul', ['x', 'w'], ['h']), node('Swishy', ['h'], ['y'])];
  expect(await refusalOf(graph({ nodes }))).toMatch(
    /onnxruntime has no operator Swishy of version \d+: export the model with another opset_version/,
  );
});

test('two inputs are named, and how one becomes of them', async () => {
  const nodes = [node('MatMul', ['x', 'w'], ['h']), node('Add', ['h', 'age'], ['y'])];
  const inputs = [floatValue('x', ['rows', 4]), floatValue('age', ['rows', 4])];
  expect(await refusalOf(graph({ nodes, inputs }))).toBe(
    'model.onnx has 2 inputs (x, age); export it with one input, the others fixed inside (a wrapper module whose forward takes one tensor)',
  );
});

test('an input of another type is named with its type', async () => {
  const inputs = [{ ...floatValue('ids', ['rows', 4]), type: 'int64' as const }];
  const nodes = [node('Cast', ['ids'], ['h'], { to: { int: 1 } }), node('Relu', ['h'], ['y'])];
  expect(await refusalOf(graph({ nodes, inputs }))).toMatch(
    /^model\.onnx takes int64 as ids, not float32; export it with float32 input/,
  );
});

test('free heights and widths are told with the two ways to fix them', async () => {
  const inputs = [floatValue('x', ['rows', 3, 'height', 'width'])];
  expect(await refusalOf(graph({ inputs }))).toMatch(
    /^input x of model\.onnx has free dimensions .*export it with fixed sizes, or name image\.width and image\.height/,
  );
});

test('functions of a file are inlined before they are taken for operators of a custom domain', async () => {
  // ModelProto.functions: FunctionProto.name.
  const bytes = [graph(), messageField(25, [textField(1, 'Act')])];
  expect(await refusalOf(Buffer.concat(bytes))).toMatch(
    /^model\.onnx defines functions of its own; inline them .*inline_local_functions/,
  );
});

test('weights in a second file are told with both ways to one file', async () => {
  // GraphProto.initializer: dims, data_type, name, data_location EXTERNAL.
  const outside = [intField(1, 4), intField(2, 1), textField(8, 'out'), intField(14, 1)];
  const said = await refusalOf(messageField(7, [messageField(5, outside)]));
  expect(said).toContain('keeps the weights out in another file');
  expect(said).toContain('external_data=False');
});
