import { z } from 'zod';

import { canonicalJson } from '../../crds/wire/json.ts';

/**
 * How a Deployment's template was made, kept in its annotation `layercache.io/template-inputs`: with the same spec, version
 * and inputs every later operator renders the same template.
 */
export interface TemplateRecord {
  readonly templateVersion: number;
  /** Chart defaults as they were then; their shape belongs to the version. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Of the template rendered from them: another one means that a field of the spec changed. */
  readonly fingerprint: string;
}

const schema = z.strictObject({
  templateVersion: z.int().min(1).max(10_000),
  inputs: z.record(z.string(), z.unknown()),
  fingerprint: z.string().max(64),
});

/** Null for a text that is absent, edited or unreadable: then nothing is recorded. */
export function parseTemplateRecord(text: string | undefined): TemplateRecord | null {
  if (text === undefined) return null;
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

export function serializeTemplateRecord(record: TemplateRecord): string {
  return canonicalJson(record);
}
