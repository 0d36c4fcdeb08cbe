import { crc32 } from '../../crds/wire/crc32.ts';
import { canonicalJson } from '../../crds/wire/json.ts';
import { encodeUtf8 } from '../../server/core/onnx/utf8.ts';

/** Eight hexadecimal digits; equal JSON values have equal ones, and two that differ nearly always differ. No identity. */
export function fingerprint(value: unknown): string {
  return crc32(encodeUtf8(canonicalJson(value)))
    .toString(16)
    .padStart(8, '0');
}
