import type { LoadFailure, LoadFailureCode } from '../../crds/wire/loading-state.ts';
import { errorText } from '../core/system-error.ts';
import { EngineError, type EngineErrorCode } from '../engine/engine-error.ts';

/** Why a backbone cannot be served now; the message names place, value and next step. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly code: LoadFailureCode;

  constructor(code: LoadFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const OF_ENGINE: Readonly<Partial<Record<EngineErrorCode, LoadFailureCode>>> = {
  ModelMissing: 'BackboneFetchFailed',
  DigestMismatch: 'BackboneDigestMismatch',
  EngineUnavailable: 'EngineUnavailable',
  // The host ended before it could say why: a library or driver that is not there, or memory.
  EngineDown: 'EngineUnavailable',
};

const MAX_MESSAGE = 1024;

/** Anything thrown on the way to a loaded backbone, as the state shows it. */
export function toLoadFailure(error: unknown): LoadFailure {
  const message = errorText(error).slice(0, MAX_MESSAGE);
  if (error instanceof LoadError) return { code: error.code, message };
  const code = error instanceof EngineError ? OF_ENGINE[error.code] : undefined;
  return { code: code ?? 'BackboneLoadFailed', message };
}
