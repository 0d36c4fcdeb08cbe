/** What stands in the place of something that is left out. */
export const LEFT_OUT = '(left out)';

const DROPPED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** Fields whose values may be secret wherever they stand: keys of hashes, values of environment variables, contents of objects. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'stickyKey',
  'token',
  'password',
  'secret',
  'authorization',
  'binaryData',
  'stringData',
]);
/** Lists of `{name, value}`: names help, values may be anything. */
const VALUE_LISTS: ReadonlySet<string> = new Set(['env', 'httpHeaders']);
const COMMAND_LINES: ReadonlySet<string> = new Set(['args', 'command']);

/** An object of the API server without what may be secret, what is large, and what helps nobody. */
export function redactObject(value: unknown, field = ''): unknown {
  if (typeof value === 'string') return SECRET_FIELDS.has(field) ? LEFT_OUT : redactText(value);
  if (Array.isArray(value)) return redactList(value, field);
  if (value === null || typeof value !== 'object') return value;
  if (SECRET_FIELDS.has(field)) return LEFT_OUT;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'managedFields' && key !== DROPPED_ANNOTATION)
      .map(([key, inner]) => [key, redactObject(inner, key)]),
  );
}

function redactList(list: readonly unknown[], field: string): unknown {
  if (COMMAND_LINES.has(field)) return LEFT_OUT;
  if (!VALUE_LISTS.has(field)) return list.map((inner) => redactObject(inner));
  return list.map((entry) => {
    const { name, value, ...rest } = (entry ?? {}) as Record<string, unknown>;
    const shown =
      value === undefined ? {} : { value: isOwnSetting(name) ? redactObject(value) : LEFT_OUT };
    return { name, ...shown, ...(redactObject(rest) as object) };
  });
}

/** Settings that the operator writes hold no secret; what a user adds may. */
function isOwnSetting(name: unknown): boolean {
  return typeof name === 'string' && name.startsWith('LAYERCACHE_');
}

/** What signs an address goes before the credentials in it: an address ends at a space. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s"'?]+)\?[^\s"']+/gi, `$1?${LEFT_OUT}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s@"']+@/gi, `$1${LEFT_OUT}@`],
  [/\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi, `$1 ${LEFT_OUT}`],
  [
    /\b(authorization|x-api-key|api[-_]?key|password|passwd|secret|token)(["']?\s*[:=]\s*["']?)[^\s"',}]+/gi,
    `$1$2${LEFT_OUT}`,
  ],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/g, LEFT_OUT],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, LEFT_OUT],
  [/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g, LEFT_OUT],
];

/** A text, a log for example, without what looks like a credential. */
export function redactText(text: string): string {
  return PATTERNS.reduce(
    (left, [pattern, replacement]) => left.replace(pattern, replacement),
    text,
  );
}
