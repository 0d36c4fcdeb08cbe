import { InvariantError } from '../../core/invariant.ts';
import type { Activation } from '../segment-engine.ts';
import type { RuntimeTensor } from './session.ts';

/** Counts activations, so that a leak or a double use shows at once. */
export class ActivationPool {
  live = 0;

  make(tensor: RuntimeTensor, name: string): OnnxActivation {
    this.live += 1;
    return new OnnxActivation(tensor, name);
  }

  /** Takes the tensor out; the activation is spent from here on. */
  take(activation: Activation): { readonly tensor: RuntimeTensor; readonly name: string } {
    if (!(activation instanceof OnnxActivation)) {
      throw new InvariantError('an activation of another engine was passed');
    }
    const taken = activation.take();
    this.live -= 1;
    return taken;
  }
}

class OnnxActivation implements Activation {
  readonly rows: number;
  private tensor: RuntimeTensor | null;
  private readonly name: string;

  /** @param name the tensor of the backbone that it holds. */
  constructor(tensor: RuntimeTensor, name: string) {
    this.rows = tensor.dims[0] ?? 0;
    this.tensor = tensor;
    this.name = name;
  }

  take(): { readonly tensor: RuntimeTensor; readonly name: string } {
    if (this.tensor === null) throw new InvariantError('an activation was used twice');
    const taken = { tensor: this.tensor, name: this.name };
    this.tensor = null;
    return taken;
  }
}
