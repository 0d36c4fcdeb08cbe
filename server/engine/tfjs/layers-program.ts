// A LayersModel as a program: layers are called one by one, so that any part can run. `tf.model` cannot begin at a tensor inside.
import { io, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { InvariantError } from '../../core/invariant.ts';
import type { TfjsGraph } from '../../core/tfjs/read-graph.ts';
import { EngineError } from '../engine-error.ts';
import { activationKind, readLayers, type LayerCall, type LayersGraph } from './layers-graph.ts';
import type { LoadedFiles } from './load-files.ts';
import type { TfjsProgram } from './program.ts';

/** Throws EngineError UnsupportedModel. */
export async function loadLayersProgram(path: string, files: LoadedFiles): Promise<TfjsProgram> {
  const { topology, weightSpecs, weightData } = files;
  let model: LayersModel;
  try {
    model = await loadLayersModel(
      io.fromMemory({ modelTopology: topology, weightSpecs, weightData, format: 'layers-model' }),
    );
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new EngineError(
      'UnsupportedModel',
      `TensorFlow.js cannot load ${path}: ${why.replace(/[.\s]+$/, '')}; export a SavedModel and convert it to a graph model`,
      { cause: error },
    );
  }
  try {
    return new LayersProgram(model, readLayers(path, model));
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** A part of the model: its calls in order, each with the values that nothing reads after it. */
type Route = readonly { readonly call: LayerCall; readonly lastReads: readonly string[] }[];

class LayersProgram implements TfjsProgram {
  readonly graph: TfjsGraph;
  private readonly model: LayersModel;
  private readonly layers: LayersGraph;
  private readonly routes = new Map<string, Route>();

  constructor(model: LayersModel, layers: LayersGraph) {
    this.model = model;
    this.layers = layers;
    this.graph = layers.graph;
  }

  outputKind(tensor: string): 'Probabilities' | null {
    return activationKind(this.layers, tensor);
  }

  run(feeds: Readonly<Record<string, Tensor>>, wanted: readonly string[]): readonly Tensor[] {
    const values = new Map(Object.entries(feeds));
    const made = new Set<Tensor>();
    const drop = (name: string): void => {
      const value = values.get(name);
      if (value === undefined || !made.delete(value)) return;
      values.delete(name);
      value.dispose();
    };
    try {
      for (const { call, lastReads } of this.route(Object.keys(feeds), wanted)) {
        for (const [index, result] of runCall(call, values).entries()) {
          made.add(result);
          values.set(call.outputs[index] ?? '', result);
        }
        for (const name of lastReads) drop(name);
      }
      return wanted.map((name) => {
        const value = values.get(name);
        if (value === undefined) throw new InvariantError(`${name} did not come out`);
        made.delete(value);
        return value;
      });
    } finally {
      for (const value of made) value.dispose();
    }
  }

  dispose(): void {
    this.model.dispose();
  }

  private route(fed: readonly string[], wanted: readonly string[]): Route {
    const key = JSON.stringify([fed, wanted]);
    const route = this.routes.get(key) ?? findRoute(this.layers.calls, fed, wanted);
    this.routes.set(key, route);
    return route;
  }
}

function findRoute(
  calls: readonly LayerCall[],
  fed: readonly string[],
  wanted: readonly string[],
): Route {
  const needed = new Set(wanted.filter((name) => !fed.includes(name)));
  const kept = new Set([...fed, ...wanted]);
  const read = new Set<string>();
  const route: { call: LayerCall; lastReads: string[] }[] = [];
  for (const call of [...calls].reverse()) {
    if (!call.outputs.some((name) => needed.has(name))) continue;
    for (const name of call.inputs) if (!fed.includes(name)) needed.add(name);
    // Backwards, so the first reader that is met is the last one. Results that nobody reads go at once.
    const all = new Set([...call.inputs, ...call.outputs]);
    const lastReads = [...all].filter((name) => !read.has(name) && !kept.has(name));
    for (const name of all) read.add(name);
    route.push({ call, lastReads });
  }
  return route.reverse();
}

/** Results are tensors of their own: layers such as dropout give back what they were given. */
function runCall({ layer, inputs }: LayerCall, values: ReadonlyMap<string, Tensor>): Tensor[] {
  const given = inputs.map((name) => {
    const value = values.get(name);
    if (value === undefined) throw new InvariantError(`${name} was not fed`);
    return value;
  });
  return tidy(() => {
    const found = layer.apply(given, { training: false }) as Tensor | Tensor[];
    return [found].flat().map((result) => result.clone());
  });
}
