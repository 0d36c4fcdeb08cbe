/**
 * What came of one pull of evidence. `gap`: windows were gone before they were read; `restarted`: another boot of the server
 * answered, so what was asked for is not there; `invalid`: an answer that is not understood or contradicts an earlier one.
 */
export type PullResult = 'ok' | 'gap' | 'restarted' | 'no_answer' | 'refused' | 'invalid';

/** By the code of an answer that brought no evidence. */
export function failedPull(code: string): PullResult {
  if (code === 'NoAnswer') return 'no_answer';
  return code === 'Refused' ? 'refused' : 'invalid';
}
