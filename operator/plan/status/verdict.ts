import { REASONS, type Reason } from '../../../crds/v1alpha1/reasons.ts';
import type { Condition } from '../../../crds/v1alpha1/conditions.ts';

/** What a check of a condition came to. */
export interface Verdict {
  readonly status: Condition['status'];
  readonly reason: Reason;
  readonly message: string;
}

const MAX_MESSAGE = 1024;
const CUT = '... ';

/**
 * A verdict whose message says what is the case and then the next step of the catalogue. A long text is cut before the next
 * step, never the step itself.
 * @param what one or more sentences, with or without the last full stop.
 */
export function toVerdict(status: Verdict['status'], reason: Reason, what: string): Verdict {
  return { status, reason, message: withNextStep(what, REASONS[reason].action) };
}

/** A text within the bound of messages, ending in the next step. */
export function withNextStep(what: string, nextStep: string): string {
  const sentence = /[.!?]$/.test(what) ? what : `${what}.`;
  if (nextStep === '') return cut(sentence, MAX_MESSAGE);
  const room = MAX_MESSAGE - nextStep.length - 1;
  return sentence.length <= room
    ? `${sentence} ${nextStep}`
    : `${cut(sentence, room + 1)}${nextStep}`;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - CUT.length)}${CUT}`;
}

/** `2 pods`, `1 pod`. */
export function countPods(count: number): string {
  return `${count} ${count === 1 ? 'pod' : 'pods'}`;
}
