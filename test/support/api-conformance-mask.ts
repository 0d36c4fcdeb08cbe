/**
 * Replaces what differs from run to run by what stays: first uid, second version, some time. Of managed fields the
 * times go (the API server leaves them out when nothing but ownership changed), and so do the marks of containers; of events, what the
 * API server adds for the clients of another decade.
 */
export function createMask(namespace: string): (value: unknown) => unknown {
  const uids = new Map<string, string>();
  const versions = new Map<string, string>();
  const ordinal = (seen: Map<string, string>, prefix: string, value: string): string => {
    const known = seen.get(value) ?? `${prefix}${seen.size + 1}`;
    seen.set(value, known);
    return known;
  };
  const mask = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return sortIf(key, value).map((item) => mask(item, ''));
    if (typeof value === 'string') return maskText(value, key);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name, field]) => field !== undefined && !isDropped(name))
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, field]) => [maskName(name), mask(field, name)]),
    );
  };
  /** Keys of merged owner references hold a uid. */
  const maskName = (name: string): string =>
    name.replace(/^k:\{"uid":"([^"]+)"\}$/, (_, uid: string) => `k:${ordinal(uids, 'uid', uid)}`);
  const maskText = (text: string, key: string): string => {
    if (key === 'uid') return ordinal(uids, 'uid', text);
    if (key === 'resourceVersion') return ordinal(versions, 'version', text);
    if (TIMES.has(key)) return 'time';
    return text === namespace ? 'namespace' : text;
  };
  return (value) => mask(value, '');
}

function isDropped(name: string): boolean {
  return name === '.' || name === 'time' || name.startsWith('deprecated');
}

const TIMES = new Set(['creationTimestamp', 'deletionTimestamp']);

/** Managers stand in the order of their time, which two in one second do not have. */
function sortIf(key: string, items: readonly unknown[]): readonly unknown[] {
  if (key !== 'managedFields') return items;
  const text = (item: unknown): string => {
    const { manager, operation, subresource } = item as Record<string, string | undefined>;
    return `${manager ?? ''} ${operation ?? ''} ${subresource ?? ''}`;
  };
  return items.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}
