import type { Tensor } from '@tensorflow/tfjs-core';
import type { TfjsGraph } from '../../core/tfjs/read-graph.ts';

/** A loaded model that can be run from any cut to any tensors. */
export interface TfjsProgram {
  readonly graph: TfjsGraph;
  /** Where the graph does not show what the scores of an output are: null = it does. */
  outputKind(tensor: string): 'Probabilities' | null;
  /**
   * Feeds are tensors by name and stay the caller's, as the results do. Everything else is gone when it returns, also when it
   * throws.
   */
  run(feeds: Readonly<Record<string, Tensor>>, wanted: readonly string[]): readonly Tensor[];
  dispose(): void;
}
