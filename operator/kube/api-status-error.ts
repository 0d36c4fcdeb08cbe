/** Reasons of our own, for calls that got no answer; all others come from the API server. */
export type NoAnswerReason = 'NoAnswer' | 'DeadlineExceeded' | 'Aborted';

export interface StatusCause {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

export interface ApiStatusFacts {
  /** HTTP status or code of an ERROR event; 0 when there was no answer. */
  readonly status: number;
  /** Machine-readable, for example `Conflict`; empty when the server gave none. */
  readonly reason: string;
  /** The server's own sentence. */
  readonly detail: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number | null;
  /** Verb and object, for example `apply configmaps ml/vision-policy`. */
  readonly call: string;
  readonly cause?: unknown;
}

const MAX_DETAIL = 500;

/** Thrown by every method of `Api` and by nothing else in this folder. The message is one line without headers. */
export class ApiStatusError extends Error {
  override readonly name = 'ApiStatusError';
  readonly status: number;
  readonly reason: string;
  readonly detail: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterSeconds: number | null;
  readonly call: string;

  constructor(facts: ApiStatusFacts) {
    super(messageOf(facts), { cause: facts.cause });
    this.status = facts.status;
    this.reason = facts.reason;
    this.detail = oneLine(facts.detail);
    this.causes = facts.causes ?? [];
    this.retryAfterSeconds = facts.retryAfterSeconds ?? null;
    this.call = facts.call;
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }

  /** Someone else was faster or owns a field: drop the work, the queue brings it back. */
  get isConflict(): boolean {
    return this.status === 409 && this.reason !== 'AlreadyExists';
  }

  get isAlreadyExists(): boolean {
    return this.status === 409 && this.reason === 'AlreadyExists';
  }

  /** The version asked for is compacted: list again. */
  get isExpired(): boolean {
    return this.status === 410;
  }

  get isForbidden(): boolean {
    return this.status === 403;
  }

  /** Nothing can be created here any more; final. */
  get isNamespaceTerminating(): boolean {
    return this.causes.some(({ reason }) => reason === 'NamespaceTerminating');
  }

  /** The object is at fault: the same body fails again. */
  get isInvalid(): boolean {
    return this.status === 400 || this.status === 422 || this.isSchemaMismatch;
  }

  /**
   * Apply with a field that the schema does not declare, with a value of another type, or with text that is no quantity.
   * The API server answers 500 without a reason, so this is the one place where the text has to tell.
   */
  get isSchemaMismatch(): boolean {
    const { status, reason, detail } = this;
    return (
      status === 500 && reason === '' && SCHEMA_MISMATCHES.some((text) => detail.includes(text))
    );
  }

  get isAborted(): boolean {
    return this.status === 0 && this.reason === 'Aborted';
  }

  /** A write may have happened although this was thrown: read before repeating. */
  get isUncertain(): boolean {
    return this.status === 0 || (this.status >= 500 && !this.isSchemaMismatch);
  }
}

const SCHEMA_MISMATCHES = [
  'failed to create typed patch object',
  'unable to convert unstructured object',
] as const;

function messageOf({ call, status, reason, detail }: ApiStatusFacts): string {
  const what = [status === 0 ? '' : String(status), reason].filter((part) => part !== '').join(' ');
  return `${call}: ${what}: ${oneLine(detail)}`;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= MAX_DETAIL ? line : `${line.slice(0, MAX_DETAIL - 3)}...`;
}
