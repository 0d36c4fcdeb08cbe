import { parseTemplateRecord } from './template-record.ts';
import { templateInputs, type TemplateInputs } from './template-v1/inputs.ts';

/**
 * What the pods of a Deployment were rendered from, out of its annotation: chart defaults of today reach them only with the next
 * roll, and a trainer has to write where they read. Today's for a Deployment that says nothing readable.
 */
export function recordedInputs(
  annotation: string | undefined,
  today: TemplateInputs,
): TemplateInputs {
  const parsed = templateInputs.safeParse(parseTemplateRecord(annotation)?.inputs);
  return parsed.success ? parsed.data : today;
}
