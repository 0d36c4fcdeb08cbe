import type { BackboneUri } from './backbone-uri.ts';
import type { PlaceFields } from '../net/fetch-problem.ts';

/** How the model that is fetched is named in a spec, for advice. */
export interface ModelFields extends PlaceFields {
  readonly digest: string;
  readonly format: string;
}

/** A model that is to be brought here. */
export interface ModelPlace {
  readonly uri: BackboneUri;
  readonly digest: string | null;
  /** Where its claim and its Secret are mounted. */
  readonly modelDir: string | null;
  readonly credentialsDir: string | null;
  /** Folder of the cache that it has for itself. */
  readonly folder: string;
  readonly fields: ModelFields;
}

/** In the folder of the cache that earlier versions used too. */
export const BACKBONE_FOLDER = 'backbones';

export const BACKBONE_FIELDS: ModelFields = {
  uri: 'backbone.uri',
  credentials: 'backbone.credentialsSecretName',
  caBundle: 'backbone.caBundleConfigMapName',
  digest: 'backbone.digest',
  format: 'backbone.format',
};

/** Of a companion; it is fetched with the backbone's CA. */
export function companionFields(exit: string): ModelFields {
  const model = `exits[${exit}].model`;
  return {
    uri: `${model}.uri`,
    credentials: `${model}.credentialsSecretName`,
    caBundle: BACKBONE_FIELDS.caBundle,
    digest: `${model}.digest`,
    format: `${model}.format`,
  };
}
