// The set of live values along the topological order.
import type { ComputeGraph, GraphVocabulary } from './compute-graph.ts';
import type { GraphFlow } from './graph-flow.ts';

/** The place after the node at `position`, with the row values that are made by then and needed later. */
export interface Place {
  readonly position: number;
  readonly live: readonly string[];
}

/** One place per node, in order. A row value that nothing needs is never live. */
export function livePlaces(model: ComputeGraph, flow: GraphFlow): readonly Place[] {
  let live = model.inputs.map(({ name }) => name);
  return model.nodes.map((node, position) => {
    const made = node.outputs.filter((name) => flow.kindOf.get(name) === 'row');
    live = [...live, ...made].filter((name) => Number(flow.neededUntil.get(name)) > position);
    return { position, live };
  });
}

/** Inner tensors that are alone at some place, in order, with the first such place. */
export function articulations(
  model: ComputeGraph,
  places: readonly Place[],
): ReadonlyMap<string, Place> {
  const ends = new Set([...model.inputs, ...model.outputs].map(({ name }) => name));
  const found = new Map<string, Place>();
  for (const place of places) {
    if (place.live.length !== 1) continue;
    for (const tensor of place.live) {
      if (!ends.has(tensor) && !found.has(tensor)) found.set(tensor, place);
    }
  }
  return found;
}

/** Tensors whose shapes `findCuts` needs: expose these in one run. Graph inputs and initialisers are left out. */
export function tensorsToMeasure(
  model: ComputeGraph,
  flow: GraphFlow,
  vocabulary: GraphVocabulary,
): readonly string[] {
  const known = new Set([...model.initializers, ...model.inputs].map(({ name }) => name));
  const wanted = [
    ...articulations(model, livePlaces(model, flow)).keys(),
    ...model.nodes.flatMap(vocabulary.macTensors),
    ...flow.shapeNeededUntil.keys(),
  ];
  return [...new Set(wanted)].filter((name) => !known.has(name));
}
