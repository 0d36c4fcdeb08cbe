// Reads of a GraphModel's topology (GraphDef as JSON) what cutting needs.
import type { Result } from '../../../crds/wire/result.ts';
import type { ComputeGraph, GraphNode } from '../graph/compute-graph.ts';
import { listOf, membersOf } from './json-members.ts';

export interface TfjsGraph extends ComputeGraph {
  readonly input: {
    /** What clients call it: the key of the signature. */
    readonly name: string;
    readonly tensor: string;
    /** -1 where free; null: the file does not say. */
    readonly dims: readonly number[] | null;
  };
  /** What clients call the outputs. */
  readonly outputNames: readonly string[];
}

interface DefinedNode extends GraphNode {
  readonly name: string;
  readonly dims: readonly number[] | null;
  readonly isFloat: boolean;
}

interface NamedTensor {
  readonly name: string;
  readonly tensor: string;
  readonly dims: readonly number[] | null;
  readonly isFloat: boolean;
}

/** Operators whose flow or result sizes depend on values: such a graph has no fixed order of work. */
const DYNAMIC =
  /^(Switch|Merge|Enter|Exit|NextIteration|LoopCond|(Stateless)?(If|While)|Where|Unique\w*|NonMaxSuppression\w*|TensorArray\w*|TensorList\w*|HashTable\w*|LookupTable\w*)$/;

/**
 * @param topology `modelTopology` of model.json. @param signature `signature` of it, when there is one.
 * @param weightDims shapes by name, from the weight manifest.
 * @returns the part of the graph that the outputs need, in topological order; or what is wrong as the end of a sentence.
 */
export function readGraph(
  topology: unknown,
  signature: unknown,
  weightDims: ReadonlyMap<string, readonly number[]>,
): Result<TfjsGraph> {
  const defined = nodesOf(topology);
  if (defined === null)
    return refuse('ModelUnreadable', 'has a graph whose nodes have no name or operator');
  const byName = new Map(defined.map((node) => [node.name, node]));
  const { inputs, outputs } = endsOf(signature, defined);
  const ordered = inOrder(
    byName,
    outputs.map(({ tensor }) => tensor),
  );
  if (!ordered.ok) return ordered;
  const nodes = ordered.value;
  const dynamic = nodes.find(({ op }) => DYNAMIC.test(op));
  if (dynamic !== undefined) {
    return refuse(
      'UnsupportedModel',
      `uses the operator ${dynamic.op} (${dynamic.name}), whose work depends on values; export it without control flow and selection`,
    );
  }
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0) {
    const names = inputs.map(({ name }) => name).join(', ');
    return refuse(
      'UnsupportedModel',
      `has ${inputs.length} inputs (${names}); export it with one input`,
    );
  }
  if (!input.isFloat) {
    return refuse('UnsupportedModel', 'does not take float32 input; export it with float32 input');
  }
  return {
    ok: true,
    value: {
      nodes: nodes.filter(({ op }) => op !== 'Const' && op !== 'Placeholder'),
      initializers: nodes.flatMap(({ op, name }) =>
        op === 'Const' ? [{ name, dims: weightDims.get(name) ?? [] }] : [],
      ),
      inputs: [{ name: input.tensor }],
      outputs: outputs.map(({ tensor }) => ({ name: tensor })),
      input: { name: input.name, tensor: input.tensor, dims: input.dims },
      outputNames: outputs.map(({ name }) => name),
    },
  };
}

function nodesOf(topology: unknown): readonly DefinedNode[] | null {
  const { node } = membersOf(topology);
  const read = listOf(node).map(toNode);
  const used = new Map<string, Set<string>>();
  for (const each of read) {
    for (const input of each?.inputs ?? []) {
      const owner = ownerOf(input);
      used.set(owner, (used.get(owner) ?? new Set([owner])).add(input));
    }
  }
  const nodes = read.flatMap((each) =>
    each === null ? [] : [{ ...each, outputs: [...(used.get(each.name) ?? [each.name])] }],
  );
  return nodes.length < read.length || nodes.length === 0 ? null : nodes;
}

function toNode(value: unknown): DefinedNode | null {
  const { name, op, input, attr } = membersOf(value);
  if (typeof name !== 'string' || typeof op !== 'string') return null;
  const { shape, dtype } = membersOf(attr);
  return {
    name,
    op,
    inputs: listOf(input).flatMap((each) =>
      typeof each === 'string' && !each.startsWith('^') ? [toTensor(each)] : [],
    ),
    outputs: [],
    captured: [],
    dims: dimsOf(membersOf(shape).shape),
    isFloat: isFloat(membersOf(dtype).type),
  };
}

/** Inputs and outputs by the signature; without one, placeholders and what nothing reads. */
function endsOf(
  signature: unknown,
  nodes: readonly DefinedNode[],
): { readonly inputs: readonly NamedTensor[]; readonly outputs: readonly NamedTensor[] } {
  const { inputs, outputs } = membersOf(signature);
  const read = new Set(nodes.flatMap((node) => node.inputs.map(ownerOf)));
  const named = (ends: unknown, otherwise: (node: DefinedNode) => boolean): NamedTensor[] => {
    const given = Object.entries(membersOf(ends)).map(toNamed);
    if (given.length > 0) return given;
    return nodes
      .filter(otherwise)
      .map(({ name, dims, isFloat: float }) => ({ name, tensor: name, dims, isFloat: float }));
  };
  return {
    inputs: named(inputs, ({ op }) => op === 'Placeholder'),
    outputs: named(outputs, ({ name, op }) => !read.has(name) && op !== 'Const' && op !== 'NoOp'),
  };
}

function toNamed([key, value]: readonly [string, unknown]): NamedTensor {
  const { name, dtype, tensorShape } = membersOf(value);
  return {
    name: key,
    tensor: toTensor(typeof name === 'string' ? name : key),
    dims: dimsOf(tensorShape),
    isFloat: isFloat(dtype),
  };
}

/** Nodes that the outputs need, each after what it reads. */
function inOrder(
  byName: ReadonlyMap<string, DefinedNode>,
  outputs: readonly string[],
): Result<readonly DefinedNode[]> {
  const state = new Map<string, 'open' | 'done'>();
  const ordered: DefinedNode[] = [];
  // Its own stack: graphs are deeper than the machine's.
  const stack = outputs.map(ownerOf).reverse();
  for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
    const node = byName.get(name);
    if (node === undefined) {
      return refuse('ModelUnreadable', `has no node ${name}, which its graph reads`);
    }
    const waiting = node.inputs.map(ownerOf).filter((input) => state.get(input) !== 'done');
    if (waiting.length === 0 || state.get(name) === 'done') {
      stack.pop();
      if (state.get(name) !== 'done') ordered.push(node);
      state.set(name, 'done');
    } else if (waiting.some((input) => state.get(input) === 'open')) {
      return refuse('ModelUnreadable', `has a circle at node ${name}`);
    } else {
      state.set(name, 'open');
      stack.push(...waiting);
    }
  }
  return { ok: true, value: ordered };
}

/** `name:0` is `name`. */
function toTensor(reference: string): string {
  return reference.endsWith(':0') ? reference.slice(0, -2) : reference;
}

/** The node that makes it. */
export function ownerOf(tensor: string): string {
  return tensor.replace(/:\d+$/, '');
}

function dimsOf(shape: unknown): readonly number[] | null {
  const { dim } = membersOf(shape);
  if (!Array.isArray(dim)) return null;
  return dim.map((each) => Number(membersOf(each).size ?? 0));
}

/** As the converter writes it, or as the number of the protobuf. */
function isFloat(dtype: unknown): boolean {
  return dtype === 'DT_FLOAT' || dtype === 1;
}

function refuse(code: string, message: string): { ok: false; code: string; message: string } {
  return { ok: false, code, message };
}
