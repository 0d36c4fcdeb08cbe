// Reads a model file and refuses what cannot be served, each time with the next step.
import { readModel, type OnnxModel } from '../../core/onnx/read-model.ts';
import { readModelFile } from '../backbone/model-file.ts';
import { EngineError } from '../engine-error.ts';
import type { ModelSource } from '../segment-engine.ts';

const KNOWN_DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);
/** Nodes appended to segments need broadcasting (7) and Min/Max of it (8). */
const LOWEST_OPSET = 8;
const FLOAT = 1;
/** TensorProto.DataType. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  8: 'strings',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
};

export interface LoadedFile {
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly model: OnnxModel;
}

export async function loadModelFile(source: ModelSource): Promise<LoadedFile> {
  const { bytes, digest } = await readModelFile(source, `the model ${source.path}`);
  const read = readModel(bytes);
  if (!read.ok) {
    throw new EngineError(
      'ModelUnreadable',
      `${source.path} is ${read.message}; export it to ONNX again`,
    );
  }
  refuseUnsupported(source.path, read.value);
  return { bytes, digest, model: read.value };
}

/** What is wrong and the next step, or null. */
type Check = (model: OnnxModel) => readonly [what: string, step: string] | null;

const CHECKS: readonly Check[] = [
  ({ initializers }) => {
    const external = initializers.find((initializer) => initializer.external);
    return external === undefined
      ? null
      : [
          `keeps the weights ${external.name} in another file`,
          'save it as one file (torch.onnx.export with external_data=False, or in Python: onnx.save(onnx.load(FILE), OTHER_FILE))',
        ];
  },
  ({ functionCount }) =>
    functionCount > 0
      ? [
          'defines functions of its own',
          'inline them (in Python: onnx.save(onnx.inliner.inline_local_functions(onnx.load(FILE)), OTHER_FILE))',
        ]
      : null,
  ({ nodes }) => {
    const foreign = nodes.find(({ domain }) => !KNOWN_DOMAINS.has(domain));
    return foreign === undefined
      ? null
      : [
          `uses operator ${foreign.op} of the custom domain ${foreign.domain}`,
          'export it with standard operators',
        ];
  },
  ({ sparseCount }) => (sparseCount > 0 ? ['has sparse weights', 'export dense ones'] : null),
  ({ opsets }) => {
    const opset = opsets.find(({ domain }) => domain === '' || domain === 'ai.onnx');
    const version = opset?.version ?? 0;
    return version >= LOWEST_OPSET
      ? null
      : [`has operator set ${version}`, `convert it to ${LOWEST_OPSET} or later`];
  },
  ({ inputs }) =>
    inputs.length === 1
      ? null
      : [
          `has ${inputs.length} inputs (${inputs.map(({ name }) => name).join(', ')})`,
          'export it with one input, the others fixed inside (a wrapper module whose forward takes one tensor)',
        ],
  ({ inputs }) => {
    const other = inputs.find(({ type }) => type !== FLOAT);
    return other === undefined
      ? null
      : [
          `takes ${TYPE_NAMES[other.type] ?? 'another type'} as ${other.name}, not float32`,
          'export it with float32 input: a half-precision or byte input behind a Cast, a model of tokens from its embeddings on',
        ];
  },
];

function refuseUnsupported(path: string, model: OnnxModel): void {
  for (const check of CHECKS) {
    const problem = check(model);
    if (problem === null) continue;
    throw new EngineError('UnsupportedModel', `${path} ${problem[0]}; ${problem[1]}`);
  }
}
