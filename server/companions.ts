import { z } from 'zod';
import type { CompanionReport } from '../crds/wire/state.ts';
import type { Result } from '../crds/wire/result.ts';

/** A companion model as the pod's environment names it. */
export interface CompanionSetting {
  /** Of its exit. */
  readonly name: string;
  readonly uri: string;
}

const schema = z
  .array(
    z.object({
      name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/),
      uri: z.string().min(1).max(1024),
    }),
  )
  .max(16);

/** JSON `[{name, uri, digest, format, outputName}]`; nothing is an empty list. */
export function parseCompanions(text: string): Result<readonly CompanionSetting[]> {
  if (text === '') return { ok: true, value: [] };
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return { ok: true, value: parsed.data };
  } catch {
    // The same advice as for another shape.
  }
  return {
    ok: false,
    code: 'Invalid',
    message: 'must be JSON of the form [{"name": "small", "uri": "https://..."}]',
  };
}

/** This server runs no companions yet: it says so, keeps their exits off, and the backbone answers. */
export function refuseCompanions(companions: readonly CompanionSetting[]): CompanionReport[] {
  return companions.map(({ name }) => ({
    name,
    code: 'CompanionLoadFailed',
    message: `This image does not run companion models, so exit ${name} is off; remove it or use an image that runs them.`,
  }));
}
