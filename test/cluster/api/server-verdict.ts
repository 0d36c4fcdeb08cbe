import type { Judgement } from '../../unit/crds/verdicts/twins.ts';
import type { ApiAnswer } from '../harness/api-request.ts';

/** One cause of a refusal, as a Status lists it. */
interface Cause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

interface StatusBody {
  readonly message?: string;
  readonly details?: { readonly causes?: readonly Cause[] };
}

/** What our rules answer with; every other cause comes from the shape of the object. */
export interface RuleTexts {
  has(message: string): boolean;
}

const UNKNOWN_FIELD = /unknown field "([^"]+)"/g;

/** Texts of causes that only say that others are there, or say them again without a field. */
const ECHOES = ['some validation rules were not checked', 'Checked value must be of type'];

function isEcho({ message = '', field = '' }: Cause): boolean {
  // A field with a dot in front is one of the scale subresource, whose path has its own reader.
  return field.startsWith('.') || ECHOES.some((echo) => message.includes(echo));
}

/** `Invalid value: "51%": write a ...` -> the rule's message; null when no rule of ours said it. */
function ruleOf(message: string, rules: RuleTexts): string | null {
  const text = message.replace(/^Invalid value: /, '');
  if (rules.has(text)) return text;
  const [, afterValue] = /^(?:"(?:[^"\\]|\\.)*"|\S+): (.*)$/s.exec(text) ?? [];
  return afterValue !== undefined && rules.has(afterValue) ? afterValue : null;
}

/** Field of a cause; rules at the root speak of the name. */
function fieldOf({ field = '', message = '' }: Cause): string {
  return field === '<nil>' && message.includes('metadata.name') ? 'metadata.name' : field;
}

function sortCauses(causes: readonly Cause[], rules: RuleTexts): Judgement {
  const malformed: string[] = [];
  const broken: string[] = [];
  for (const cause of causes) {
    const rule = ruleOf(cause.message ?? '', rules);
    if (rule === null) malformed.push(fieldOf(cause));
    else broken.push(`${fieldOf(cause)}: ${rule}`);
  }
  return { malformed, broken: broken.sort() };
}

/**
 * What the API server says of an object, in the words of the other judges. An answer that is no verdict (a conflict,
 * a fault) throws.
 */
export function judgementOf({ status, body }: ApiAnswer, rules: RuleTexts): Judgement {
  if (status === 200 || status === 201) return { malformed: [], broken: [] };
  const { message = '', details } = body as StatusBody;
  const unknown = [...message.matchAll(UNKNOWN_FIELD)].map(([, field]) => String(field));
  if (unknown.length > 0) return { malformed: unknown, broken: [] };
  if (status !== 422) throw new Error(`no verdict: ${status} ${message}`);
  const causes = details?.causes ?? [];
  return sortCauses(
    causes.filter((cause) => !isEcho(cause)),
    rules,
  );
}
