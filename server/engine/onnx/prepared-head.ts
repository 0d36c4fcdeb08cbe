// A head as a session of its own: features in, logits out.
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import { HEAD_FEATURES, HEAD_LOGITS, headModel } from '../../core/onnx/head-graph.ts';
import { headWeights } from '../backbone/head-weights.ts';
import type { RuntimeHead } from '../backbone/runtime.ts';
import { deviceOfProcess, type Device } from '../config.ts';
import { floatsOf, floatTensorOf, RuntimeSession } from './session.ts';

export class OnnxHead implements RuntimeHead {
  private readonly featureCount: number;
  private readonly session: RuntimeSession;

  /** @param device @defaultValue what the process runs models on */
  constructor(head: BundleHead, classCount: number, device: Device = deviceOfProcess()) {
    this.featureCount = head.featureCount;
    this.session = new RuntimeSession(headModel(headWeights(head, classCount)), {
      device,
      // Of six nodes there is nothing to gain on processors, and looking for it is a third of what a head costs to open.
      optimisation: device === 'cpu' ? 'disabled' : 'all',
    });
  }

  run(features: Float32Array, rows: number): Float32Array {
    const input = floatTensorOf(features, [rows, this.featureCount]);
    return (
      floatsOf(this.session.run({ [HEAD_FEATURES]: input })[HEAD_LOGITS]) ?? new Float32Array(0)
    );
  }

  release(): void {
    this.session.release();
  }
}
