// Opens a backbone: files, graph, shapes by running it, cuts, outputs.
import { tensor, tensor1d, type Tensor } from '@tensorflow/tfjs-core';
import type { FoundCut } from '../../core/graph/find-cuts.ts';
import { isShapeOfRows, traceFlow } from '../../core/graph/graph-flow.ts';
import { TFJS_VOCABULARY } from '../../core/tfjs/macs.ts';
import {
  describeBackbone,
  type ProbedTensor,
  type ProbeInput,
} from '../backbone/describe-backbone.ts';
import { checkImageNotes } from '../backbone/check-image-notes.ts';
import { inputRowDims } from '../backbone/input-row-dims.ts';
import type { OpenedBackbone } from '../backbone/runtime.ts';
import { EngineError } from '../engine-error.ts';
import { firstLine } from '../first-line.ts';
import { readSourceNotes } from '../model-notes.ts';
import type { ModelSource } from '../segment-engine.ts';
import { loadGraphProgram } from './graph-program.ts';
import { loadLayersProgram } from './layers-program.ts';
import { loadFiles } from './load-files.ts';
import type { TfjsProgram } from './program.ts';

export interface OpenedTfjsModel extends OpenedBackbone {
  readonly program: TfjsProgram;
  /** What later segments read of the shapes of tensors before the cut: made again from the number of rows. */
  readonly shapeFeeds: (cut: FoundCut, rows: number) => Readonly<Record<string, Tensor>>;
}

type Probed = ReadonlyMap<string, ProbedTensor>;

export async function openModel(source: ModelSource): Promise<OpenedTfjsModel> {
  const { path } = source;
  const notes = await readSourceNotes(source);
  const files = await loadFiles(source);
  const program =
    files.format === 'TFJSGraphModel'
      ? loadGraphProgram(path, files)
      : await loadLayersProgram(path, files);
  const { graph } = program;
  try {
    const flow = traceFlow(graph);
    const { image } = notes.input;
    const rowDims = inputRowDims(path, graph.input, [image?.height, image?.width, undefined]);
    checkImageNotes(path, notes, rowDims);
    const input = { name: graph.input.name, rowDims };
    const { format, digest, sizeBytes } = files;
    const described = describeBackbone({
      path,
      file: { digest, format, sizeBytes },
      graph,
      flow,
      vocabulary: TFJS_VOCABULARY,
      input,
      outputNames: graph.outputNames,
      kindOf: (tensorName) => program.outputKind(tensorName),
      declaredOutput: source.outputName,
      notes,
      probe: (wanted, [few, more]) => [
        probe(path, program, wanted, { ...few, rowDims: input.rowDims }),
        probe(path, program, wanted, { ...more, rowDims: input.rowDims }),
      ],
    });
    const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
    const shapeNodes = graph.nodes.flatMap((node) => {
      const [name] = node.outputs;
      const [of = ''] = node.inputs;
      return isShapeOfRows(node, flow.kindOf) && name !== undefined
        ? [{ name, at: flow.madeAt.get(of) ?? -1, dims: described.shapes.shapeOf.get(of)?.dims }]
        : [];
    });
    return {
      path,
      notes,
      input,
      program,
      ...described,
      hasTensor: (name) => made.has(name),
      shapeFeeds: (cut, rows) => {
        const place = flow.madeAt.get(cut.tensor) ?? -1;
        const before = shapeNodes.filter(({ at }) => at < place);
        return Object.fromEntries(
          before.flatMap(({ name, dims }) =>
            dims === undefined ? [] : [[name, tensor1d([rows, ...dims.slice(1)], 'int32')]],
          ),
        );
      },
    };
  } catch (error) {
    program.dispose();
    throw error;
  }
}

function probe(
  path: string,
  program: TfjsProgram,
  wanted: readonly string[],
  { values, rows, rowDims }: ProbeInput & { readonly rowDims: readonly number[] },
): Probed {
  const input = tensor(values, [rows, ...rowDims]);
  try {
    const found = program.run({ [program.graph.input.tensor]: input }, wanted);
    const probed = new Map<string, ProbedTensor>();
    for (const [index, one] of found.entries()) probed.set(wanted[index] ?? '', toProbed(one));
    return probed;
  } catch (error) {
    throw new EngineError(
      'UnsupportedModel',
      `TensorFlow.js cannot run ${path} with ${rows} rows: ${firstLine(error)}; ` +
        `convert it with a free batch axis and operators that its wasm backend has`,
      { cause: error },
    );
  } finally {
    input.dispose();
  }
}

function toProbed(found: Tensor): ProbedTensor {
  const { dtype, shape } = found;
  const floats = dtype === 'float32' ? found.dataSync<'float32'>() : null;
  found.dispose();
  return { type: dtype, dims: shape, floats };
}
