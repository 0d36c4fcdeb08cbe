// Whether planned cuts and heads fit the backbone.
import type { FoundCut } from '../../core/graph/find-cuts.ts';
import { EngineError } from '../engine-error.ts';
import { nearestNames } from '../nearest-names.ts';
import type { PlannedCut } from '../segment-engine.ts';
import type { OpenedBackbone } from './runtime.ts';

export function checkPlannedCut(opened: OpenedBackbone, planned: PlannedCut): FoundCut {
  const cut = findCut(opened, planned.tensor);
  const pools = [...planned.heads.map(({ pool }) => pool), planned.samplePool ?? 1];
  const tooFine = pools.find((pool) => pool > Math.min(cut.height, cut.width));
  if (tooFine !== undefined) {
    throw new EngineError(
      'HeadMismatch',
      `a pool of ${tooFine} x ${tooFine} does not fit ${cut.tensor} (${cut.height} x ${cut.width})`,
    );
  }
  for (const { pool, featureCount } of planned.heads) {
    if (featureCount !== pool * pool * cut.channels) {
      throw new EngineError(
        'HeadMismatch',
        `a head at ${cut.tensor} reads ${featureCount} features; pool ${pool} of ${cut.channels} channels gives ` +
          `${pool * pool * cut.channels}: it was trained for another backbone`,
      );
    }
  }
  return cut;
}

function findCut(opened: OpenedBackbone, tensor: string): FoundCut {
  const { search, hasTensor, path } = opened;
  const cut = search.cuts.find((candidate) => candidate.tensor === tensor);
  if (cut !== undefined) return cut;
  const names = search.cuts.map((candidate) => candidate.tensor);
  const nearest = nearestNames(tensor, names).join(', ') || 'none';
  const reason = search.rejected.find((candidate) => candidate.tensor === tensor)?.reason;
  if (reason !== undefined) {
    throw new EngineError(
      'TensorNotFound',
      `${tensor} of ${path} is no cut: ${reason}; cuts near it: ${nearest}`,
    );
  }
  throw new EngineError(
    'TensorNotFound',
    hasTensor(tensor)
      ? `${tensor} of ${path} is no cut: other tensors are needed beside it; cuts near it: ${nearest}`
      : `${path} has no tensor ${tensor}; the nearest cuts are ${nearest}`,
  );
}
