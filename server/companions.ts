import { z } from 'zod';
import { WIRE_LIMITS } from '../crds/wire/limits.ts';
import type { Result } from '../crds/wire/result.ts';
import * as shapes from '../crds/wire/shapes.ts';
import { MODEL_FORMATS, type ModelFormat } from './backbone/model-format.ts';
import { parseBackboneUri, type BackboneUri } from './backbone/backbone-uri.ts';

/** A companion model as the pod's environment names it. */
export interface CompanionSetting {
  /** Of its exit. */
  readonly name: string;
  readonly uri: BackboneUri;
  readonly digest: string | null;
  readonly format: ModelFormat | null;
  readonly outputName: string | null;
}

const schema = z
  .array(
    z.strictObject({
      name: shapes.exitName,
      uri: z.string().min(1).max(1024),
      digest: shapes.digest.optional(),
      format: z.enum(MODEL_FORMATS).optional(),
      outputName: shapes.tensorName.optional(),
    }),
  )
  .max(WIRE_LIMITS.exits);

const SHAPE =
  'must be JSON of the form [{"name": "small", "uri": "https://..."}], each with digest (sha256:<64 hex>), format and outputName where needed';

/** JSON `[{name, uri, digest, format, outputName}]`; nothing is an empty list. */
export function parseCompanions(text: string): Result<readonly CompanionSetting[]> {
  if (text === '') return { ok: true, value: [] };
  const list = readList(text);
  if (list === null) return refuse(SHAPE);
  const settings: CompanionSetting[] = [];
  for (const { name, uri, digest = null, format = null, outputName = null } of list) {
    const place = parseBackboneUri(uri);
    if (!place.ok) return refuse(`names exit ${name}, whose uri ${place.message}`);
    settings.push({ name, uri: place.value, digest, format, outputName });
  }
  return { ok: true, value: settings };
}

function readList(text: string): z.infer<typeof schema> | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function refuse(message: string): Result<readonly CompanionSetting[]> {
  return { ok: false, code: 'Invalid', message };
}
