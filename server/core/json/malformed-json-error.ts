/** Bytes that are no JSON, or more of it than a reader takes; the message ends a sentence that says so. */
export class MalformedJsonError extends Error {
  override readonly name = 'MalformedJsonError';
}

export function doesNotParse(at: number): MalformedJsonError {
  return new MalformedJsonError(`it does not parse at byte ${at}.`);
}
