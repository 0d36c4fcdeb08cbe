import { API_VERSION, KIND } from '../../crds/v1alpha1/cached-model-service.ts';
import type { KubeObject } from '../kube/api.ts';

/** Lies in the server image, so that the test needs no network beyond the cluster. */
const EXAMPLE_URI = 'file:///models/fashion-mnist/backbone.onnx';

export const SMOKE_MODEL = 'smoke';

/** The service of the test: small, and allowed by every admission policy of the chart. */
export function smokeService(namespace: string, name: string): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { namespace, name },
    spec: {
      modelName: SMOKE_MODEL,
      backbone: { uri: EXAMPLE_URI },
      accuracy: { maxDisagreement: '0.1%' },
      // Nothing is trained in a minute.
      heads: { training: { mode: 'Off' } },
      server: { warmup: { iterations: 1 }, drain: { delay: '0s', timeout: '5s' } },
      pod: { resources: { requests: { cpu: '50m', memory: '256Mi' }, limits: { memory: '1Gi' } } },
      // The test reads metrics from a namespace that a policy may keep out.
      networkPolicy: { mode: 'Disabled' },
    },
  };
}
