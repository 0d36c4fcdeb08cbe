// A GraphModel as a program: its executor runs any part of the graph whose inputs are fed.
import { io, type Tensor } from '@tensorflow/tfjs-core';
import { loadGraphModelSync } from '@tensorflow/tfjs-converter';
import type { TfjsGraph } from '../../core/tfjs/read-graph.ts';
import { EngineError } from '../engine-error.ts';
import { firstLine } from '../first-line.ts';
import type { LoadedFiles } from './load-files.ts';
import type { TfjsProgram } from './program.ts';
import { readableGraph } from './readable-graph.ts';

export function loadGraphProgram(path: string, files: LoadedFiles): TfjsProgram {
  const { topology, signature, weightSpecs, weightData } = files;
  const dims = new Map(weightSpecs.map(({ name, shape }) => [name, shape]));
  const graph = readableGraph(path, topology, signature, dims);
  try {
    const model = loadGraphModelSync(
      io.fromMemorySync({
        // The loader reads a version that old files do not have.
        modelTopology: { versions: {}, ...topology },
        weightSpecs,
        weightData,
        format: 'graph-model',
        ...(typeof signature === 'object' && signature !== null ? { signature } : {}),
      }),
    );
    return new GraphProgram(model, graph);
  } catch (error) {
    throw new EngineError(
      'UnsupportedModel',
      `TensorFlow.js cannot load ${path}: ${firstLine(error)}; convert it again with tensorflowjs 4.22`,
      { cause: error },
    );
  }
}

type Loaded = ReturnType<typeof loadGraphModelSync>;

class GraphProgram implements TfjsProgram {
  readonly graph: TfjsGraph;
  private readonly model: Loaded;

  constructor(model: Loaded, graph: TfjsGraph) {
    this.model = model;
    this.graph = graph;
  }

  outputKind(): null {
    return null;
  }

  run(feeds: Readonly<Record<string, Tensor>>, wanted: readonly string[]): readonly Tensor[] {
    const found = this.model.execute({ ...feeds }, [...wanted]);
    return Array.isArray(found) ? found : [found];
  }

  dispose(): void {
    this.model.dispose();
  }
}
