import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { classifyAddress } from './address-class.ts';
import { judgeHost, type AllowedHosts, type HostVerdict } from './allowed-hosts.ts';
import { fetchFailed, shownUrl } from './fetch-problem.ts';

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export const resolveBySystem: Resolve = (host) => lookup(host, { all: true });

/**
 * The addresses that a request may connect to. The name is resolved once and every address is checked, so that a second
 * answer of the name server never counts; one address that is not allowed refuses them all.
 */
export async function checkedAddresses(
  url: URL,
  { allowedHosts, resolve }: { readonly allowedHosts: AllowedHosts; readonly resolve: Resolve },
): Promise<readonly LookupAddress[]> {
  const verdict = checkedHost(url, allowedHosts);
  const host = literalHost(url);
  const family = isIP(host);
  const addresses = family === 0 ? await resolve(host) : [{ address: host, family }];
  if (addresses.length === 0) throw fetchFailed(`${shownUrl(url)}: ${host} has no address.`);
  for (const { address } of addresses)
    refuseAddress(url, address, { verdict, setting: settingOf(allowedHosts) });
  return addresses;
}

/** The host alone, for requests that a proxy resolves. */
export function checkedHost(url: URL, allowedHosts: AllowedHosts): HostVerdict {
  const verdict = judgeHost(allowedHosts, url);
  if (verdict === 'Refused') {
    throw fetchFailed(
      `${shownUrl(url)}: ${url.host} is not in ${settingOf(allowedHosts)}; add it there or use a host that is.`,
    );
  }
  const host = literalHost(url);
  if (isIP(host) !== 0) refuseAddress(url, host, { verdict, setting: settingOf(allowedHosts) });
  return verdict;
}

/** `[::1]` -> `::1`. */
export function literalHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function settingOf({ setting = 'LAYERCACHE_ALLOWED_HOSTS' }: AllowedHosts): string {
  return setting;
}

function refuseAddress(
  url: URL,
  address: string,
  { verdict, setting }: { readonly verdict: HostVerdict; readonly setting: string },
): void {
  const kind = classifyAddress(address);
  if (kind === 'Public' || (kind === 'Private' && verdict === 'Named')) return;
  const next =
    kind === 'Private' ? `name ${url.hostname} in ${setting} if it is meant` : 'use another host';
  throw fetchFailed(
    `${shownUrl(url)}: ${url.hostname} has the ${kind === 'Private' ? 'private' : 'reserved'} address ${address}; ${next}.`,
  );
}
