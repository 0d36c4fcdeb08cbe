// The layers of a LayersModel as a graph: one node per call of a layer, nested models opened up.
import { LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ComputeGraph } from '../../core/graph/compute-graph.ts';
import type { TfjsGraph } from '../../core/tfjs/read-graph.ts';
import { EngineError } from '../engine-error.ts';

export type Layer = LayersModel['layers'][number];

/** One call of a layer. */
export interface LayerCall {
  readonly layer: Layer;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface LayersGraph {
  readonly calls: readonly LayerCall[];
  readonly graph: TfjsGraph;
}

/** @param path for messages. Throws EngineError UnsupportedModel. */
export function readLayers(path: string, model: LayersModel): LayersGraph {
  const [input, ...others] = model.inputs;
  if (input === undefined || others.length > 0) {
    throw unsupported(path, `has ${model.inputs.length} inputs`, 'export it with one input');
  }
  if (input.dtype !== 'float32') {
    throw unsupported(path, `takes ${input.dtype} input`, 'export it with float32 input');
  }
  const [name = input.name] = model.inputNames;
  const walk = new Walk(path);
  walk.bind(input, name);
  const outputs = model.outputs.map((output) => walk.valueOf(output, ''));
  return {
    calls: walk.calls,
    graph: {
      ...toGraph(walk.calls),
      inputs: [{ name }],
      outputs: outputs.map((output) => ({ name: output })),
      input: { name, tensor: name, dims: input.shape.map((size) => size ?? -1) },
      outputNames: model.outputNames,
    },
  };
}

/** What the scores of the layer are when its activation says so, which no operator of the graph shows. */
export function activationKind({ calls }: LayersGraph, tensor: string): 'Probabilities' | null {
  const made = calls.find(({ outputs }) => outputs.includes(tensor));
  return made?.layer.getConfig().activation === 'softmax' ? 'Probabilities' : null;
}

function toGraph(calls: readonly LayerCall[]): Pick<ComputeGraph, 'nodes' | 'initializers'> {
  const weightsOf = ({ layer, outputs }: LayerCall): { name: string; dims: readonly number[] }[] =>
    layer.weights.map(({ shape }, index) => ({
      name: `${outputs.join()}/weight${index}`,
      dims: shape.map((size) => size ?? 0),
    }));
  return {
    nodes: calls.map((call) => ({
      op: call.layer.getClassName(),
      inputs: [...call.inputs, ...weightsOf(call).map(({ name }) => name)],
      outputs: call.outputs,
      captured: [],
    })),
    initializers: calls.flatMap(weightsOf),
  };
}

class Walk {
  readonly calls: LayerCall[] = [];
  private readonly path: string;
  private readonly names = new Map<number, string>();

  constructor(path: string) {
    this.path = path;
  }

  bind({ id }: SymbolicTensor, name: string): void {
    this.names.set(id, name);
  }

  /** Name of the tensor; the calls that make it stand in `calls` afterwards. */
  valueOf(tensor: SymbolicTensor, prefix: string): string {
    const known = this.names.get(tensor.id);
    if (known !== undefined) return known;
    const { sourceLayer: layer, nodeIndex } = tensor;
    const node = layer.inboundNodes[nodeIndex];
    if (node === undefined || node.inputTensors.length === 0) {
      throw unsupported(this.path, `needs ${tensor.name} beside its input`, 'export it again');
    }
    const inputs = node.inputTensors.map((input) => this.valueOf(input, prefix));
    const name = `${prefix}${callName(layer, nodeIndex)}`;
    if (layer instanceof LayersModel) this.open(layer, node.outputTensors, { inputs, name });
    else this.call(layer, node.outputTensors, { inputs, name });
    return this.names.get(tensor.id) ?? tensor.name;
  }

  private call(
    layer: Layer,
    results: readonly SymbolicTensor[],
    { inputs, name }: { readonly inputs: readonly string[]; readonly name: string },
  ): void {
    refuseLayer(this.path, layer);
    const outputs = results.map((_, index) => (index === 0 ? name : `${name}:${index}`));
    for (const [index, result] of results.entries()) this.bind(result, outputs[index] ?? name);
    this.calls.push({ layer, inputs, outputs });
  }

  /** A model inside the model may be called several times: its own names hold for one call. */
  private open(
    model: LayersModel,
    results: readonly SymbolicTensor[],
    { inputs, name }: { readonly inputs: readonly string[]; readonly name: string },
  ): void {
    const inner = new Walk(this.path);
    for (const [index, input] of model.inputs.entries()) inner.bind(input, inputs[index] ?? '');
    const outputs = model.outputs.map((output) => inner.valueOf(output, `${name}/`));
    this.calls.push(...inner.calls);
    for (const [index, result] of results.entries()) this.bind(result, outputs[index] ?? '');
  }
}

/** As Keras names it; one that is used several times has a number per use. A model's first use is not its first node. */
function callName(layer: Layer, nodeIndex: number): string {
  const use = layer instanceof LayersModel ? nodeIndex - 1 : nodeIndex;
  return use <= 0 ? layer.name : `${layer.name}_${use}`;
}

function refuseLayer(path: string, layer: Layer): void {
  const kind = layer.getClassName();
  if (layer.stateful) {
    throw unsupported(path, `has the stateful layer ${layer.name}`, 'export it without state');
  }
  if (kind === 'Masking') {
    throw unsupported(path, `masks its input (layer ${layer.name})`, 'export it without masks');
  }
  if (layer.getConfig().dataFormat === 'channelsFirst') {
    const what = `has channels first in layer ${layer.name}`;
    throw unsupported(path, what, 'export it with channels last');
  }
}

function unsupported(path: string, what: string, step: string): EngineError {
  return new EngineError('UnsupportedModel', `${path} ${what}; ${step}`);
}
