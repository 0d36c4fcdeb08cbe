import { ApiStatusError, type StatusCause } from './api-status-error.ts';
import { isRecord } from './same-fields.ts';

/** The error of an answer that is not 2xx: a Status object, or whatever a proxy on the way wrote. */
export function statusErrorOf(
  call: string,
  answer: {
    readonly status: number;
    readonly retryAfter: string | undefined;
    readonly text: string;
  },
): ApiStatusError {
  const status = parseStatus(answer.text);
  return new ApiStatusError({
    status: answer.status,
    reason: textAt(status, 'reason'),
    detail: textAt(status, 'message') || answer.text || 'no message',
    causes: causesOf(status),
    retryAfterSeconds: secondsOf(answer.retryAfter) ?? detailSeconds(status),
    call,
  });
}

/** The error of an ERROR event, whose object is a Status. */
export function eventErrorOf(call: string, object: unknown): ApiStatusError {
  const status = isRecord(object) ? object : {};
  const { code } = status;
  return new ApiStatusError({
    status: typeof code === 'number' ? code : 500,
    reason: textAt(status, 'reason'),
    detail: textAt(status, 'message') || 'an ERROR event without a message',
    causes: causesOf(status),
    retryAfterSeconds: detailSeconds(status),
    call,
  });
}

function parseStatus(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function causesOf(status: Record<string, unknown>): StatusCause[] {
  const { causes } = detailsOf(status);
  if (!Array.isArray(causes)) return [];
  return causes.filter(isRecord).map((cause) => ({
    reason: textAt(cause, 'reason'),
    field: textAt(cause, 'field'),
    message: textAt(cause, 'message'),
  }));
}

function detailsOf(status: Record<string, unknown>): Record<string, unknown> {
  return isRecord(status.details) ? status.details : {};
}

function detailSeconds(status: Record<string, unknown>): number | null {
  const { retryAfterSeconds: seconds } = detailsOf(status);
  return typeof seconds === 'number' && seconds > 0 ? seconds : null;
}

/** Whole seconds; the date form of the header is not used by API servers and counts as absent. */
function secondsOf(header: string | undefined): number | null {
  return header !== undefined && /^[0-9]{1,6}$/.test(header) ? Number(header) : null;
}

function textAt(record: Record<string, unknown>, key: string): string {
  const value = record[key];
  return typeof value === 'string' ? value : '';
}
