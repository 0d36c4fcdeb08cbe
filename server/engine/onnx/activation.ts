import { InvariantError } from '../../core/invariant.ts';
import type { Activation } from '../segment-engine.ts';
import { freeMemory } from './free-memory.ts';
import type { RuntimeTensor } from './session.ts';

/** What an activation holds. */
export interface Held {
  readonly tensor: RuntimeTensor;
  /** Tensor of the backbone that it is. */
  readonly name: string;
  /** Memory that is freed after use; null: the caller's, or not numbers. */
  readonly memory: Float32Array | null;
}

/** Counts activations, so that a leak or a double use shows at once. */
export class ActivationLedger {
  live = 0;

  make(held: Held): Activation {
    this.live += 1;
    return new OnnxActivation(held);
  }

  /** Takes the tensor out; the activation is spent from here on. */
  take(activation: Activation): Held {
    if (!(activation instanceof OnnxActivation)) {
      throw new InvariantError('an activation of another engine was passed');
    }
    const held = activation.take();
    this.live -= 1;
    return held;
  }
}

/** Nothing reads the spent activation any more. */
export function free({ memory }: Held): void {
  if (memory !== null) freeMemory(memory);
}

class OnnxActivation implements Activation {
  readonly rows: number;
  private held: Held | null;

  constructor(held: Held) {
    this.rows = held.tensor.dims[0] ?? 0;
    this.held = held;
  }

  take(): Held {
    const { held } = this;
    if (held === null) throw new InvariantError('an activation was used twice');
    this.held = null;
    return held;
  }
}
