// A graph whose weights are constants: what cutting needs of it, and its nodes as TensorFlow takes them.
import { listOf, membersOf } from '../../core/tfjs/json-members.ts';
import type { TfjsGraph } from '../../core/tfjs/read-graph.ts';
import { EngineError } from '../engine-error.ts';
import type { LoadedFiles } from '../tfjs/load-files.ts';
import { readableGraph } from '../tfjs/readable-graph.ts';
import { expandFused } from './expand-fused.ts';
import { constant, DataType, type NodeDef } from './node-def.ts';
import { encodeAttribute, typeNumber } from './read-attributes.ts';
import { readWeights } from './weights.ts';

export interface FrozenGraph {
  readonly graph: TfjsGraph;
  /** By the name of the file's node: the nodes that stand for it. */
  readonly definitions: ReadonlyMap<string, readonly NodeDef[]>;
}

/** Of a GraphModel. Throws EngineError. */
export function freezeGraphModel(path: string, files: LoadedFiles): FrozenGraph {
  const { topology, signature, weightSpecs } = files;
  const dims = new Map(weightSpecs.map(({ name, shape }) => [name, shape]));
  const graph = readableGraph(path, topology, signature, dims);
  const nodes = listOf(membersOf(topology).node).map(membersOf);
  const types = new Map(
    nodes.map(({ name, attr }) => [name, typeNumber(membersOf(membersOf(attr).dtype).type)]),
  );
  const weights = readWeights(files, (name) => types.get(name) ?? DataType.float);
  if (typeof weights === 'string') {
    throw new EngineError(
      'UnsupportedModel',
      `${path} has the weight ${weights}, which is no number; export it without texts and tables`,
    );
  }
  const definitions = new Map<string, readonly NodeDef[]>();
  for (const raw of nodes) {
    const definition = toNodeDef(raw);
    const weight = weights.get(definition.name);
    if (definition.op !== 'Const') {
      definitions.set(definition.name, expandFused(definition, membersOf(raw.attr)));
    } else if (weight !== undefined) {
      definitions.set(definition.name, [constant(weight)]);
    }
  }
  return { graph, definitions };
}

/** Names and operators are there: `readGraph` has looked. */
function toNodeDef({ name, op, input, attr }: Readonly<Record<string, unknown>>): NodeDef {
  return {
    name: String(name),
    op: String(op),
    inputs: listOf(input)
      .map(String)
      .filter((each) => !each.startsWith('^')),
    attributes: Object.fromEntries(
      Object.entries(membersOf(attr)).flatMap(([key, value]) => {
        const encoded = isForOthers(key) ? null : encodeAttribute(value);
        return encoded === null ? [] : [[key, encoded]];
      }),
    ),
  };
}

/** Notes of optimisers about shapes that they saw. */
function isForOthers(key: string): boolean {
  return key.startsWith('_');
}
