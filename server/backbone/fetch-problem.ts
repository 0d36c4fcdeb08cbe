import { FetchError, toFetchError, type PlaceFields } from '../net/fetch-problem.ts';
import { LoadError } from './load-error.ts';

/** A failed attempt to fetch a model, whatever was thrown. */
export function toLoadError(url: URL, error: unknown, fields: PlaceFields): LoadError {
  if (error instanceof LoadError) return error;
  const problem = toFetchError(url, error, fields);
  return fetchFailed(problem.message, problem);
}

/** The same for what happens before a URL is asked. */
export function fetchFailed(message: string, cause?: unknown): LoadError {
  return new LoadError('BackboneFetchFailed', message, cause === undefined ? {} : { cause });
}

/** Runs a step that knows no model. */
export async function asLoading<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw error instanceof FetchError ? fetchFailed(error.message, error) : error;
  }
}
