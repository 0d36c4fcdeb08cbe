import type { ErrorCode } from '../../errors.ts';
import { ERRORS } from '../../errors.ts';
import { ref } from './schemas.ts';

/** Of any request, to whatever path. */
export const EVERYWHERE: readonly ErrorCode[] = [
  'malformed_http',
  'not_found',
  'method_not_allowed',
  'headers_too_slow',
  'header_too_large',
  'internal',
];

export const OF_MODEL: readonly ErrorCode[] = ['model_not_found', 'version_not_found'];

export const OF_INFERENCE: readonly ErrorCode[] = [
  ...OF_MODEL,
  'malformed_json',
  'malformed_encoding',
  'malformed_request',
  'wrong_input',
  'wrong_datatype',
  'wrong_shape',
  'wrong_byte_length',
  'broken_image',
  'invalid_parameter',
  'body_too_slow',
  'length_required',
  'body_too_large',
  'decompressed_too_large',
  'image_too_large',
  'too_many_rows',
  'unsupported_encoding',
  'queue_full',
  'no_time',
  'too_many_requests',
  'too_many_bytes',
  'engine_failed',
  'poison_row',
  'draining',
  'engine_down',
  'images_unavailable',
  'deadline',
];

/** One response a status, which names its codes and shows their sentences. */
export function errorResponses(codes: readonly ErrorCode[]): Record<string, unknown> {
  const statuses = [...new Set(codes.map((code) => ERRORS[code].status))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      errorResponse(codes.filter((code) => ERRORS[code].status === status)),
    ]),
  );
}

export function errorResponse(codes: readonly ErrorCode[]): unknown {
  const mayRetry = codes.some((code) => 'retryAfterSeconds' in ERRORS[code]);
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    ...(mayRetry ? { headers: { 'retry-after': { schema: { type: 'integer' } } } } : {}),
    content: {
      'application/json': {
        schema: ref('Error'),
        examples: Object.fromEntries(
          codes.map((code) => [code, { value: { error: ERRORS[code].template } }]),
        ),
      },
    },
  };
}
