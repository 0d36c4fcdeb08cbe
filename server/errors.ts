/**
 * The closed catalogue of refusals: code -> status and sentence. A code is never reused for another meaning;
 * server/README.md lists the same table and a test compares the two.
 */
interface CatalogueEntry {
  readonly status: number;
  /** `{name}` is replaced by details.name. */
  readonly template: string;
  readonly retryAfterSeconds?: number;
}

export const ERRORS = {
  malformed_json: {
    status: 400,
    template: 'The request is not JSON that this server reads: {detail}',
  },
  malformed_http: { status: 400, template: 'The request is not HTTP/1.1 that this server reads.' },
  malformed_encoding: {
    status: 400,
    template: 'The body does not decompress as {value}; send it whole, or uncompressed.',
  },
  malformed_request: { status: 400, template: '{field} is {value}; {fix}' },
  wrong_input: { status: 400, template: 'Input {name} does not fit this model: {fix}' },
  wrong_datatype: {
    status: 400,
    template: 'Input {name} has datatype {value}; this model takes {expected}.',
  },
  wrong_shape: {
    status: 400,
    template:
      'Input {name} has shape {value}; this model takes {expected} with any number of rows first.',
  },
  wrong_byte_length: {
    status: 400,
    template: 'Input {name} brings {value}, but its shape and datatype need {expected}.',
  },
  unknown_output: {
    status: 400,
    template: 'There is no output {name}; this model has {expected}.',
  },
  unknown_signature: {
    status: 400,
    template: 'There is no signature {value}; this model has {expected}.',
  },
  broken_image: {
    status: 400,
    template: 'Image {value} of input {name} cannot be decoded: {detail}',
  },
  invalid_parameter: { status: 400, template: '{field} is {value}; use {expected}.' },
  forbidden: {
    status: 403,
    template: '{caller} may not call {method} {path}; the operator may.',
  },
  not_found: { status: 404, template: 'There is nothing at {method} {path}.' },
  model_not_found: {
    status: 404,
    template: 'There is no model {name} here; this server has {expected}.',
  },
  version_not_found: {
    status: 404,
    template: 'Model {name} has no version {value}; it has {expected}.',
  },
  label_not_found: {
    status: 404,
    template: 'Model {name} has no label {value} now; it has {expected}.',
  },
  head_not_found: { status: 404, template: 'There is no head bundle {value} here; PUT it first.' },
  method_not_allowed: {
    status: 405,
    template: '{method} is not possible at {path}; use {expected}.',
  },
  body_too_slow: {
    status: 408,
    template: 'The body did not arrive within {value} s; send it faster or in one piece.',
  },
  headers_too_slow: {
    status: 408,
    template: 'The request did not arrive in time; send it faster or in one piece.',
  },
  head_in_use: {
    status: 409,
    template: 'Head bundle {value} is named by the policy in force; change the policy first.',
  },
  length_required: {
    status: 411,
    template: 'The request has neither Content-Length nor Transfer-Encoding; send one of them.',
  },
  body_too_large: {
    status: 413,
    template: 'The body is larger than the limit of {value} bytes; send fewer rows per request.',
  },
  decompressed_too_large: {
    status: 413,
    template:
      'Decompressed, the body is larger than the limit of {value} bytes; send fewer rows per request.',
  },
  image_too_large: {
    status: 413,
    template:
      'Image {value} of input {name} is larger than the limit of {expected} pixels; scale it down.',
  },
  too_many_rows: {
    status: 413,
    template:
      'The request has {value} rows, more than the queue holds ({expected}); send fewer rows per request.',
  },
  unsupported_media_type: {
    status: 415,
    template: 'Content-Type {value} is not read here; use {expected}.',
  },
  unsupported_encoding: {
    status: 415,
    template: 'Content-Encoding {value} is not read here; use {expected}.',
  },
  head_refused: { status: 422, template: 'The head bundle is refused: {detail}' },
  queue_full: {
    status: 429,
    template: 'The queue is full ({value} rows wait); try again shortly.',
    retryAfterSeconds: 1,
  },
  no_time: {
    status: 429,
    template:
      'So many rows wait ({value}) that this request would not be answered within its {expected} s; try again shortly.',
    retryAfterSeconds: 1,
  },
  too_many_requests: {
    status: 429,
    template: 'More than {value} requests are being answered; try again shortly.',
    retryAfterSeconds: 1,
  },
  too_many_bytes: {
    status: 429,
    template:
      'Requests hold all of the {value} bytes that they may hold together; try again shortly, or send fewer rows per request.',
    retryAfterSeconds: 1,
  },
  header_too_large: {
    status: 431,
    template: 'The headers are larger than the limit of {value} bytes; send fewer or shorter ones.',
  },
  internal: {
    status: 500,
    template: 'Something went wrong inside the server; its log has it as {id}.',
  },
  engine_failed: {
    status: 500,
    template: 'The engine could not run this row, twice: {detail}',
  },
  poison_row: {
    status: 500,
    template: 'This row ended the engine process twice and is refused for 10 minutes.',
  },
  draining: {
    status: 503,
    template: 'This server is shutting down; send the request to another one.',
    retryAfterSeconds: 1,
  },
  engine_down: {
    status: 503,
    template: 'The engine is starting or restarting; try again shortly.',
    retryAfterSeconds: 2,
  },
  images_unavailable: {
    status: 503,
    template: 'Images cannot be decoded right now; try again shortly, or send ready tensors.',
    retryAfterSeconds: 2,
  },
  deadline: {
    status: 504,
    template:
      'No answer within {value} s; ask for more time with the header request-timeout, or send less.',
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorDetails = Readonly<Record<string, string | number>>;

/** Longest value echoed back: what a client sent never makes an answer or a log line long. */
const MAX_ECHO = 128;

function renderMessage(code: ErrorCode, details: ErrorDetails): string {
  return ERRORS[code].template.replace(/\{(\w+)\}/g, (_, name: string) =>
    String(details[name] ?? '').slice(0, MAX_ECHO * 4),
  );
}

/** A value of the client as it may be shown: short, printable. */
export function shown(value: unknown): string {
  const text =
    typeof value === 'string'
      ? value.slice(0, MAX_ECHO + 1)
      : ((JSON.stringify(value, shorten) as string | undefined) ?? 'missing');
  const printable = text.replace(/[^\x20-\x7e]/g, '?');
  return printable.length > MAX_ECHO ? `${printable.slice(0, MAX_ECHO)}...` : printable;
}

/** Of what is long, a little more than is shown. */
function shorten(_: string, value: unknown): unknown {
  if (typeof value !== 'string' && !Array.isArray(value)) return value;
  return value.length > MAX_ECHO ? value.slice(0, MAX_ECHO + 1) : (value as unknown);
}

/** A refusal from the catalogue; http/error-handler.ts alone turns it into an answer. */
export class ServingError extends Error {
  override readonly name = 'ServingError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryAfterSeconds: number | null;
  /** Headers that the status demands (Allow for 405). */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    details: ErrorDetails = {},
    options: { cause?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(
      renderMessage(code, details),
      options.cause === undefined ? {} : { cause: options.cause },
    );
    const entry: CatalogueEntry = ERRORS[code];
    this.code = code;
    this.status = entry.status;
    this.retryAfterSeconds = entry.retryAfterSeconds ?? null;
    this.headers = options.headers ?? {};
  }
}
