import {
  cachedModelService,
  type CachedModelService,
} from '../../../../crds/v1alpha1/cached-model-service.ts';

/** A manifest with the smallest spec and the given fields of it replaced; as plain values. */
export function aManifest(spec: Record<string, unknown> = {}, name = 'vision'): unknown {
  return {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name },
    spec: {
      backbone: { uri: 'https://models.example.com/resnet18.onnx' },
      accuracy: { maxDisagreement: '1%' },
      ...spec,
    },
  };
}

export function aService(spec: Record<string, unknown> = {}, name = 'vision'): CachedModelService {
  return cachedModelService.parse(aManifest(spec, name));
}
