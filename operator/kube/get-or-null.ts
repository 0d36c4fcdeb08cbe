import type { Api, CallOptions, KubeObject, ObjectRef } from './api.ts';
import { ApiStatusError } from './api-status-error.ts';

/** The object, or null when there is none: a 404 on get is an outcome. Every other failure is thrown. */
export async function getOrNull(
  api: Api,
  ref: ObjectRef,
  options?: CallOptions,
): Promise<KubeObject | null> {
  try {
    return await api.get(ref, options);
  } catch (error) {
    if (error instanceof ApiStatusError && error.isNotFound) return null;
    throw error;
  }
}
