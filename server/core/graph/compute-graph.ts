// What cutting needs to know of a graph, whatever file format it came from.

export interface GraphNode {
  readonly op: string;
  /** '' = optional input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of the outer graph that sub-graphs of this node (bodies of If, Loop, Scan) use. */
  readonly captured: readonly string[];
}

export interface ComputeGraph {
  /** In topological order. */
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly { readonly name: string; readonly dims: readonly number[] }[];
  /** Inputs that are not initialisers. */
  readonly inputs: readonly { readonly name: string }[];
  readonly outputs: readonly { readonly name: string }[];
}

/** A node as messages call it; names of nodes are optional, those of tensors are not. */
export function nodeText({ op, outputs }: GraphNode): string {
  return `the ${op} that makes ${outputs.slice(0, 1).join()}`;
}

/** What the operators of a format mean. */
export interface GraphVocabulary {
  /** Where maps have their channels. */
  readonly layout: 'NCHW' | 'NHWC';
  /** Tensors whose shapes `macsOf` asks for. */
  readonly macTensors: (node: GraphNode) => readonly string[];
  /** Multiply-adds of one row in this node; 0 for nodes that are not counted or whose shapes are unknown. */
  readonly macsOf: (
    node: GraphNode,
    dimsOf: (name: string) => readonly number[],
    rows: number,
  ) => number;
}

/** 0 for an unknown shape, so that what is unknown counts nothing. */
export function sizeOf(dims: readonly number[]): number {
  return dims.length === 0 ? 0 : dims.reduce((all, dim) => all * dim, 1);
}
