import { FetchError, toFetchError, type PlaceFields } from '../net/fetch-problem.ts';
import { LoadError } from './load-error.ts';

export const BACKBONE_FIELDS: PlaceFields = {
  uri: 'backbone.uri',
  credentials: 'backbone.credentialsSecretName',
  caBundle: 'backbone.caBundleConfigMapName',
};

/** A failed attempt to fetch the backbone, whatever was thrown. */
export function toLoadError(url: URL, error: unknown): LoadError {
  if (error instanceof LoadError) return error;
  const problem = toFetchError(url, error, BACKBONE_FIELDS);
  return fetchFailed(problem.message, problem);
}

/** The same for what happens before a URL is asked. */
export function fetchFailed(message: string, cause?: unknown): LoadError {
  return new LoadError('BackboneFetchFailed', message, cause === undefined ? {} : { cause });
}

/** Runs a step that knows no backbone. */
export async function asLoading<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw error instanceof FetchError ? fetchFailed(error.message, error) : error;
  }
}
