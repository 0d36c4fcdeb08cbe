/** Closed set of what can go wrong in an engine; the message names the file or tensor and the next step. */
export type EngineErrorCode =
  | 'ModelMissing'
  | 'ModelUnreadable'
  | 'DigestMismatch'
  | 'UnsupportedModel'
  | 'ModelNotesInvalid'
  | 'TensorNotFound'
  | 'OutputNotFound'
  | 'NoClassOutput'
  | 'HeadMismatch'
  | 'CompanionMismatch'
  | 'KnownAnswerMismatch'
  | 'PlanUnknown'
  | 'InputMismatch'
  | 'EngineUnavailable'
  | 'EngineFailed'
  | 'EngineDown';

/** Thrown by engines and by the client; crosses processes as code and text, without a stack. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What of any thrown value may cross a process border. */
export interface EngineFailure {
  readonly code: EngineErrorCode;
  readonly message: string;
}

export function toEngineFailure(error: unknown): EngineFailure {
  if (error instanceof EngineError) return { code: error.code, message: error.message };
  return { code: 'EngineFailed', message: error instanceof Error ? error.message : String(error) };
}
