import type { REASON_GROUPS } from '../../v1alpha1/reasons.ts';
import type { ReasonPage } from './reason-page.ts';

const UNAVAILABLE = 'revision Available=False';

export const PLATFORM_PAGES = {
  ScalingActive: {
    seen: ['AutoscalingActive=True'],
    check: '`kubectl -n NAMESPACE get hpa NAME` shows the figures.',
  },
  MetricsUnavailable: {
    seen: ['AutoscalingActive=False', 'AutoscalingActive=Unknown', 'event'],
    check:
      '`kubectl -n NAMESPACE describe hpa NAME`; `kubectl get apiservices` shows whether the metrics adapter answers. [`crds/samples/queue-autoscaled.yaml`](../../../crds/samples/queue-autoscaled.yaml) has the rule that an adapter needs.',
  },
  BackboneLoaded: { seen: ['event'], check: '`status.backbone` has digest, engine and device.' },
  BackboneNotPinned: {
    seen: ['event'],
    check: '`status.backbone.digest` is the one to write into the spec.',
  },
  UpdateWillInterrupt: {
    seen: ['event'],
    check: '`spec.replicas` is 1 and pods are replaced without surge.',
  },
  ChildEditedRepeatedly: {
    seen: ['event'],
    check:
      'The message names object and fields. `kubectl -n NAMESPACE get deployment NAME -o yaml --show-managed-fields` names the other writer.',
  },
  RequestHandled: { seen: ['event'], check: '`status.request` has the result.' },
  Verified: {
    seen: ['revision Available=True'],
    check: 'The message says who has read the bundle.',
  },
  BundleMissing: {
    seen: [UNAVAILABLE, 'event of the revision'],
    check:
      'The message names place and answer. In a ConfigMap: `kubectl -n NAMESPACE get configmaps -l layercache.io/role=head`.',
  },
  DigestMismatch: {
    seen: [UNAVAILABLE, 'event of the revision'],
    check: 'The message has both digests. Was the file replaced under the same name?',
  },
  Malformed: {
    seen: [UNAVAILABLE, 'event of the revision'],
    check: 'The message names the field, or the byte at which the file ends.',
  },
} as const satisfies Record<keyof typeof REASON_GROUPS.platform, ReasonPage>;
