import { pathToFileURL } from 'node:url';
import type { CachedModelServiceSpec } from '../../crds/v1alpha1/cached-model-service.ts';
import { canonicalJson } from '../../crds/wire/json.ts';
import { pathOfFileUri } from './file-uri.ts';

/** Companions of a manifest as a server reads them, their paths resolved against the manifest's folder; null: it names none. */
export function companionSettings(
  exits: CachedModelServiceSpec['exits'],
  manifestFolder: string,
): string | null {
  const list = (exits ?? []).flatMap(({ name, model }) => {
    if (model === undefined) return [];
    const { digest, format, outputName } = model;
    const uri = pathToFileURL(pathOfFileUri(model.uri, manifestFolder)).href;
    return [{ name, uri, digest, format, outputName }];
  });
  return list.length === 0 ? null : canonicalJson(list);
}
