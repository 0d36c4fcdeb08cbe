import { InvariantError } from '../../core/invariant.ts';
import type { Activation } from '../segment-engine.ts';
import { floatTensorOf, type RuntimeTensor } from './session.ts';

/** Buffers that wait for their next use; a segment reads one and writes another. */
const MOST_FREE = 3;

/** What an activation holds. */
export interface Held {
  readonly tensor: RuntimeTensor;
  /** Tensor of the backbone that it is. */
  readonly name: string;
  /** Memory that goes back to the pool after use; null: the caller's or the runtime's. */
  readonly buffer: Float32Array | null;
}

/**
 * Counts activations, so that a leak or a double use shows at once, and lends the memory they live in: fresh megabytes per
 * segment cost page faults and garbage collection.
 */
export class ActivationPool {
  live = 0;
  private free: Float32Array[] = [];

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

  /** A tensor to write into. */
  borrow(name: string, dims: readonly number[]): Held {
    const size = dims.reduce((all, dim) => all * dim, 1);
    const fitting = this.free.filter(({ length }) => length >= size);
    const buffer = fitting.sort((a, b) => a.length - b.length)[0] ?? new Float32Array(size);
    this.free = this.free.filter((other) => other !== buffer);
    return { tensor: floatTensorOf(buffer.subarray(0, size), dims), name, buffer };
  }

  /** The memory of a spent activation may be used again. */
  giveBack({ buffer }: Held): void {
    if (buffer === null) return;
    this.free.push(buffer);
    if (this.free.length > MOST_FREE) {
      this.free = this.free.sort((a, b) => b.length - a.length).slice(0, MOST_FREE);
    }
  }

  clear(): void {
    this.free = [];
  }
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
