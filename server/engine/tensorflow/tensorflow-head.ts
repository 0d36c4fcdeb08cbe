import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import { InvariantError } from '../../core/invariant.ts';
import { headWeights } from '../backbone/head-weights.ts';
import type { RuntimeHead } from '../backbone/runtime.ts';
import type { Addon } from './addon.ts';
import { HEAD_LOGITS, headGraph, headInputs } from './head-graph.ts';
import { takeFloats, TensorFlowSession, uploadFloats } from './session.ts';

/** The two graphs of heads, each loaded when a head first needs it. */
export class HeadSessions {
  private readonly addon: Addon;
  private readonly sessions = new Map<boolean, TensorFlowSession>();

  constructor(addon: Addon) {
    this.addon = addon;
  }

  of(isDeep: boolean): TensorFlowSession {
    const ends = { inputs: headInputs(isDeep), outputs: [HEAD_LOGITS] };
    const session =
      this.sessions.get(isDeep) ?? new TensorFlowSession(this.addon, headGraph(isDeep), ends);
    this.sessions.set(isDeep, session);
    return session;
  }

  release(): void {
    for (const session of this.sessions.values()) session.release();
    this.sessions.clear();
  }
}

export class TensorFlowHead implements RuntimeHead {
  private readonly addon: Addon;
  private readonly session: TensorFlowSession;
  private readonly featureCount: number;
  private readonly weights: readonly number[];

  constructor(addon: Addon, sessions: HeadSessions, head: BundleHead, classCount: number) {
    const { featureCount, hidden, mean, scale, w1, b1, w2, b2 } = headWeights(head, classCount);
    const width = hidden === 0 ? classCount : hidden;
    this.addon = addon;
    this.featureCount = featureCount;
    this.session = sessions.of(w2 !== null && b2 !== null);
    this.weights = [
      uploadFloats(addon, mean, [featureCount]),
      uploadFloats(addon, scale, [featureCount]),
      uploadFloats(addon, w1, [featureCount, width]),
      uploadFloats(addon, b1, [width]),
      ...(w2 === null || b2 === null
        ? []
        : [uploadFloats(addon, w2, [hidden, classCount]), uploadFloats(addon, b2, [classCount])]),
    ].map(({ id }) => id);
  }

  run(features: Float32Array, rows: number): Float32Array {
    const { id } = uploadFloats(this.addon, features, [rows, this.featureCount]);
    try {
      const [logits] = this.session.run([id, ...this.weights]);
      if (logits === undefined) throw new InvariantError('no logits came out of a head');
      return takeFloats(this.addon, logits);
    } finally {
      this.addon.deleteTensor(id);
    }
  }

  release(): void {
    for (const id of this.weights) this.addon.deleteTensor(id);
  }
}
