import type { Result } from '../../crds/wire/result.ts';

interface Entry {
  /** `host`, or `.suffix` for every name under it. */
  readonly host: string;
  /** Null: any port. */
  readonly port: number | null;
}

/** Which hosts a backbone may come from, and which of them may have a private address. */
export interface AllowedHosts {
  /** Hosts that are not named are allowed too, at public addresses. */
  readonly othersAllowed: boolean;
  readonly named: readonly Entry[];
  /** What names them, for advice. @defaultValue 'LAYERCACHE_ALLOWED_HOSTS' */
  readonly setting?: string;
}

export type HostVerdict = 'Named' | 'Public' | 'Refused';

const ENTRY = /^(\*\.)?([a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;

/**
 * Comma-separated `host`, `*.suffix`, `[v6]`, each with an optional `:port`, and `*`. Nothing or `*` allows every host at a
 * public address; a named one may also be private or loopback. Names without `*` exclude all others.
 */
export function parseAllowedHosts(text: string): Result<AllowedHosts> {
  const entries = text
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '');
  const named: Entry[] = [];
  for (const entry of entries) {
    if (entry === '*') continue;
    const [, wild, host, port] = ENTRY.exec(entry) ?? [];
    if (host === undefined) {
      const message =
        'must be a comma-separated list of hosts such as models.example.com, *.ml.svc, minio.ml:9000 or *';
      return { ok: false, code: 'Invalid', message };
    }
    named.push({
      host: wild === undefined ? host : `.${host}`,
      port: port === undefined ? null : Number(port),
    });
  }
  return { ok: true, value: { othersAllowed: named.length === 0 || entries.includes('*'), named } };
}

/** What the list says of a host. The URL parser has already turned decimal, octal and hexadecimal addresses into dotted ones. */
export function judgeHost(allowed: AllowedHosts, url: URL): HostVerdict {
  const host = url.hostname.toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const isNamed = allowed.named.some(
    (entry) =>
      (entry.port === null || entry.port === port) &&
      (entry.host.startsWith('.') ? host.endsWith(entry.host) : host === entry.host),
  );
  if (isNamed) return 'Named';
  return allowed.othersAllowed ? 'Public' : 'Refused';
}
