/** No retry helps until the object changes: the queue forgets the key and counts it. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  /** A reason of the API, for the condition and the event. */
  readonly reason: string;

  constructor(reason: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}
