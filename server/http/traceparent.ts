/** Version, trace id, parent id, flags; versions to come may append more (W3C Trace Context, 3.2). */
const FORMAT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(-.*)?$/;
const NO_ID = /^0+$/;

/** The trace that a request belongs to, from its header `traceparent`; null without one, or when it is malformed, which is no error. */
export function traceIdOf(header: string | string[] | undefined): string | null {
  if (typeof header !== 'string') return null;
  const [, version, traceId = '', parentId = '', more] = FORMAT.exec(header) ?? [];
  const isKnown = version === '00' ? more === undefined : version !== undefined && version !== 'ff';
  return isKnown && !NO_ID.test(traceId) && !NO_ID.test(parentId) ? traceId : null;
}
