// A head as a session of its own: features in, logits out.
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import { toHeadWeights, type HeadWeights } from '../../core/head.ts';
import {
  HEAD_FEATURES,
  HEAD_LOGITS,
  headModel,
  type HeadSlot,
} from '../../core/onnx/head-graph.ts';
import { EngineError } from '../engine-error.ts';
import type { PreparedHead } from '../segment-engine.ts';
import { floatsOf, RuntimeSession, type RuntimeTensor } from './session.ts';

export class OnnxHead implements PreparedHead {
  readonly head: BundleHead;
  private readonly session: RuntimeSession;

  /** Throws EngineError HeadMismatch when the weights do not fit the classes. */
  constructor(head: BundleHead, classCount: number) {
    this.head = head;
    this.session = new RuntimeSession(headModel(dequantised(head, classCount)));
  }

  fits(slot: HeadSlot): boolean {
    const { pool, hidden, featureCount } = this.head;
    return slot.pool === pool && slot.hidden === hidden && slot.featureCount === featureCount;
  }

  /** @param features [rows, featureCount]; @returns [rows, classes] */
  run(features: RuntimeTensor): Float32Array | null {
    return floatsOf(this.session.run({ [HEAD_FEATURES]: features })[HEAD_LOGITS]);
  }

  release(): void {
    this.session.release();
  }
}

function dequantised(head: BundleHead, classCount: number): HeadWeights {
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
