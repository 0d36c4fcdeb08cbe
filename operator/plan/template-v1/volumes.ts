import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.js';

import { adminSecretName, policyConfigMapName } from '../names.ts';
import * as paths from './paths.ts';
import { storeOf } from './store.ts';
import type { TemplateInput } from './template-input.ts';

/** A volume with the place where the server finds it. */
export interface Mounted {
  readonly volume: Volume;
  readonly mount: VolumeMount;
}

/** Group-readable: pods run with this fsGroup and without root. */
const SECRET_MODE = 0o440;

/**
 * Volumes of a server. Secrets and ConfigMaps are optional: the server itself says what is missing, and pods start with
 * the backbone alone where policy or admin keys are. Policy is a whole directory: a `subPath` would never be refreshed.
 */
export function serverVolumes(input: TemplateInput): Mounted[] {
  const { service, adminGeneration } = input;
  const { backbone, server } = service.spec;
  const store = storeOf(input);
  return [
    configMap('policy', policyConfigMapName(service.name), paths.POLICY_DIR),
    secret('admin', adminSecretName(service.name, adminGeneration), paths.ADMIN_DIR),
    ...optional(backbone.credentialsSecretName, (name) =>
      secret('credentials', name, paths.CREDENTIALS_DIR),
    ),
    ...companionVolumes(input),
    ...optional(backbone.caBundleConfigMapName, (name) =>
      configMap('ca-bundle', name, paths.CA_BUNDLE_DIR),
    ),
    ...optional(store?.pullSecretName, (name) =>
      secret('store-credentials', name, paths.STORE_CREDENTIALS_DIR),
    ),
    ...optional(store?.caBundleConfigMapName, (name) =>
      configMap('store-ca-bundle', name, paths.STORE_CA_BUNDLE_DIR),
    ),
    ...optional(server.warmup.inputsConfigMapName, (name) =>
      configMap('warmup', name, paths.WARMUP_DIR),
    ),
    ...claim('model', backbone.uri, paths.MODEL_DIR),
    emptyDir('cache', '10Gi', paths.CACHE_DIR),
    emptyDir('tmp', '64Mi', '/tmp'),
  ];
}

function companionVolumes({ service }: TemplateInput): Mounted[] {
  return (service.spec.exits ?? []).flatMap(({ name, model }) => {
    if (model === undefined) return [];
    const credentials = optional(model.credentialsSecretName, (secretName) =>
      secret(`credentials-${name}`, secretName, `${paths.CREDENTIALS_DIR}-${name}`),
    );
    return [...credentials, ...claim(`model-${name}`, model.uri, `${paths.MODEL_DIR}-${name}`)];
  });
}

function optional(name: string | undefined, mount: (name: string) => Mounted): Mounted[] {
  return name === undefined ? [] : [mount(name)];
}

function configMap(name: string, of: string, mountPath: string): Mounted {
  return {
    volume: { name, configMap: { name: of, optional: true } },
    mount: { name, mountPath, readOnly: true },
  };
}

function secret(name: string, secretName: string, mountPath: string): Mounted {
  return {
    volume: { name, secret: { secretName, optional: true, defaultMode: SECRET_MODE } },
    mount: { name, mountPath, readOnly: true },
  };
}

/** `pvc://CLAIM/PATH` mounts the whole claim, read-only. */
function claim(name: string, uri: string, mountPath: string): Mounted[] {
  const claimName = /^pvc:\/\/([^/]*)/.exec(uri)?.[1];
  if (claimName === undefined) return [];
  return [
    {
      volume: { name, persistentVolumeClaim: { claimName, readOnly: true } },
      mount: { name, mountPath, readOnly: true },
    },
  ];
}

function emptyDir(name: string, sizeLimit: string, mountPath: string): Mounted {
  return { volume: { name, emptyDir: { sizeLimit } }, mount: { name, mountPath } };
}
