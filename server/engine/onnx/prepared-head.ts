// A head's weights as graph inputs, ready for any slot.
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import { toHeadWeights } from '../../core/head.ts';
import {
  headInputDims,
  slotNames,
  type HeadInput,
  type HeadSlot,
} from '../../core/onnx/head-graph.ts';
import { EngineError } from '../engine-error.ts';
import type { PreparedHead } from '../segment-engine.ts';
import { floatTensorOf, type Feeds, type RuntimeTensor } from './session.ts';

export class OnnxHead implements PreparedHead {
  readonly head: BundleHead;
  readonly slot: HeadSlot;
  private readonly weights: readonly (readonly [HeadInput, RuntimeTensor])[];

  constructor(head: BundleHead, classCount: number) {
    this.head = head;
    this.slot = { pool: head.pool, hidden: head.hidden, featureCount: head.featureCount };
    const weights = dequantised(head, classCount);
    this.weights = headInputDims(this.slot, classCount).map(
      ([input, dims]) =>
        [input, floatTensorOf(weights[input] ?? new Float32Array(0), dims)] as const,
    );
  }

  feeds(slot: number): Feeds {
    const names = slotNames(slot);
    return Object.fromEntries(this.weights.map(([input, tensor]) => [names[input], tensor]));
  }
}

function dequantised(
  head: BundleHead,
  classCount: number,
): Readonly<Record<HeadInput, Float32Array | null>> {
  try {
    return toHeadWeights(head, classCount);
  } catch (error) {
    throw new EngineError(
      'HeadMismatch',
      `the head of exit ${head.exit} does not fit ${classCount} classes: ${error instanceof Error ? error.message : ''}; train heads for this backbone`,
      { cause: error },
    );
  }
}

/** Feeds of a slot that a run leaves empty. */
export function emptyHeadFeeds(slot: HeadSlot, index: number, classCount: number): Feeds {
  const names = slotNames(index);
  return Object.fromEntries(
    headInputDims(slot, classCount).map(([input, dims]) => [
      names[input],
      floatTensorOf(
        new Float32Array(dims.reduce((all, dim) => all * dim, 1)).fill(input === 'scale' ? 1 : 0),
        dims,
      ),
    ]),
  );
}
