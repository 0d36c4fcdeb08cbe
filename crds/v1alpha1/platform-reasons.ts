import type { ReasonEntry } from './reason-entry.ts';

/** What happens to what a service is made of: autoscaler, backbone, children, bundles. */
export const platform = {
  ScalingActive: { meaning: 'The autoscaler has its metrics.', action: '' },
  MetricsUnavailable: {
    meaning: 'The autoscaler gets no metrics.',
    action: 'Check the metrics adapter; the message is the one of the HPA.',
  },
  BackboneLoaded: { meaning: 'A pod loaded the backbone for the first time.', action: '' },
  BackboneNotPinned: {
    meaning: 'The backbone has no digest, so its file may change under the same URI.',
    action: 'Set backbone.digest.',
  },
  UpdateWillInterrupt: {
    meaning: 'With one replica and no surge an update interrupts the endpoint.',
    action: 'Use two replicas or allow surge.',
  },
  ChildEditedRepeatedly: {
    meaning: 'Somebody keeps editing an object that the operator owns.',
    action: 'Find the other writer; use the spec instead.',
  },
  RequestHandled: { meaning: 'A request annotation was handled.', action: '' },
  Verified: { meaning: 'The bundle of a revision is what the revision says.', action: '' },
  BundleMissing: {
    meaning: 'The bundle of a revision is not in its store.',
    action: 'Restore it or remove the revision.',
  },
  DigestMismatch: {
    meaning: 'The bundle in the store is not the one that the revision names.',
    action: 'Restore the right file.',
  },
  Malformed: {
    meaning: 'The bundle of a revision cannot be read.',
    action: 'Make it again with a current trainer.',
  },
} as const satisfies Record<string, ReasonEntry>;
