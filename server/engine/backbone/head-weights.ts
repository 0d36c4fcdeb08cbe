import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import { toHeadWeights, type HeadWeights } from '../../core/head.ts';
import { EngineError } from '../engine-error.ts';

/** Plain weights of a head. Throws EngineError HeadMismatch when they do not fit the classes. */
export function headWeights(head: BundleHead, classCount: number): HeadWeights {
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
