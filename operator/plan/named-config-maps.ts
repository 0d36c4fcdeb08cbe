import type { ServiceToPlan } from './service.ts';

/** A ConfigMap of the user that a spec names. */
export interface NamedConfigMap {
  readonly field: string;
  readonly name: string;
}

/** ConfigMaps that must exist before pods are made; read every 30 s, since they are not watched. */
export function namedConfigMaps({ spec }: Pick<ServiceToPlan, 'spec'>): NamedConfigMap[] {
  const { s3, oci } = spec.heads.store ?? {};
  const fields: readonly (readonly [field: string, name: string | undefined])[] = [
    ['spec.backbone.caBundleConfigMapName', spec.backbone.caBundleConfigMapName],
    ['spec.server.warmup.inputsConfigMapName', spec.server.warmup.inputsConfigMapName],
    ['spec.heads.store.s3.caBundleConfigMapName', s3?.caBundleConfigMapName],
    ['spec.heads.store.oci.caBundleConfigMapName', oci?.caBundleConfigMapName],
  ];
  return fields.flatMap(([field, name]) => (name === undefined ? [] : [{ field, name }]));
}
