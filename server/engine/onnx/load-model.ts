// Reads a model file and refuses what cannot be served, each time with the next step.
import { readModel, type OnnxModel } from '../../core/onnx/read-model.ts';
import { readModelFile } from '../backbone/model-file.ts';
import { EngineError } from '../engine-error.ts';
import type { ModelSource } from '../segment-engine.ts';

const KNOWN_DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);
/** Nodes appended to segments need broadcasting (7) and Min/Max of it (8). */
const LOWEST_OPSET = 8;
const FLOAT = 1;

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
          'save it as one file (onnx.save without save_as_external_data)',
        ];
  },
  ({ nodes }) => {
    const foreign = nodes.find(({ domain }) => !KNOWN_DOMAINS.has(domain));
    return foreign === undefined
      ? null
      : [
          `uses operator ${foreign.op} of the custom domain ${foreign.domain}`,
          'export it with standard operators',
        ];
  },
  ({ functionCount }) =>
    functionCount > 0 ? ['defines functions of its own', 'inline them before exporting'] : null,
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
          'export it with one input',
        ],
  ({ inputs }) =>
    inputs.every(({ type }) => type === FLOAT)
      ? null
      : [`does not take float32 input`, 'export it with float32 input'],
];

function refuseUnsupported(path: string, model: OnnxModel): void {
  for (const check of CHECKS) {
    const problem = check(model);
    if (problem === null) continue;
    throw new EngineError('UnsupportedModel', `${path} ${problem[0]}; ${problem[1]}`);
  }
}
