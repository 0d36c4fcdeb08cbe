import { InvariantError } from '../../core/invariant.ts';
import type { Activation } from '../segment-engine.ts';

/** What an activation holds. */
export interface Held<T> {
  readonly value: T;
  readonly rows: number;
  /** Tensor of the backbone that it is. */
  readonly name: string;
}

/** Counts activations, so that a leak or a double use shows at once. */
export class ActivationLedger<T> {
  private readonly held = new WeakMap<Activation, Held<T>>();
  private readonly made = new WeakSet<Activation>();
  live = 0;

  make(held: Held<T>): Activation {
    this.live += 1;
    const activation: Activation = { rows: held.rows };
    this.made.add(activation);
    this.held.set(activation, held);
    return activation;
  }

  /** Takes the value out; the activation is spent from here on. */
  take(activation: Activation): Held<T> {
    const held = this.held.get(activation);
    if (held === undefined) {
      throw new InvariantError(
        this.made.has(activation)
          ? 'an activation was used twice'
          : 'an activation of another engine was passed',
      );
    }
    this.held.delete(activation);
    this.live -= 1;
    return held;
  }
}
