import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * Public; Private: of this machine or network, reached only through a host that is named; Forbidden: cloud metadata, link-local,
 * multicast and what is no address of a host at all, never reached.
 */
export type AddressClass = 'Public' | 'Private' | 'Forbidden';

const FORBIDDEN = blockList([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  // Metadata services of clouds outside link-local.
  '100.100.100.200/32',
  '168.63.129.16/32',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  '::/128',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  '100::/64',
  '2001::/32',
  '2001:db8::/32',
  '2002::/16',
]);

const PRIVATE = blockList([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::1/128',
  'fc00::/7',
]);

/** IPv6 that carries an IPv4 address in its last 32 bits: mapped, compatible, and translated (NAT64). */
const CARRIERS = blockList(['::ffff:0:0/96', '::/96', '64:ff9b::/96']);

export function classifyAddress(address: string): AddressClass {
  if (isIPv4(address)) return classify(address, 'ipv4');
  if (!isIPv6(address) || address.includes('%')) return 'Forbidden';
  const own = classify(address, 'ipv6');
  if (own !== 'Public') return own;
  return CARRIERS.check(address, 'ipv6') ? classify(carried(address), 'ipv4') : own;
}

function classify(address: string, family: 'ipv4' | 'ipv6'): AddressClass {
  if (FORBIDDEN.check(address, family)) return 'Forbidden';
  return PRIVATE.check(address, family) ? 'Private' : 'Public';
}

/** The last 32 bits, dotted. The URL parser writes any IPv6 address in its one short form. */
function carried(address: string): string {
  const short = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [high = '0', low = '0'] = short.split(':').slice(-2);
  const bits = [high, low].map((part) => Number.parseInt(part === '' ? '0' : part, 16));
  return bits.flatMap((part) => [part >> 8, part & 255]).join('.');
}

function blockList(nets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const net of nets) {
    const [address = '', prefix = ''] = net.split('/');
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
