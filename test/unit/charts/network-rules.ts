// What network policies let through, by their rules alone: a connection passes when the policies of both ends allow it, and an end that no
// policy selects allows everything.
import { BlockList } from 'node:net';

type Labels = Readonly<Record<string, string>>;

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string }[];
}

interface Peer {
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string };
}

interface Rule {
  readonly ports?: readonly { readonly protocol: string; readonly port: string | number }[];
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
}

export interface Policy {
  readonly metadata: { readonly namespace?: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

/** A pod, or what lies outside of the cluster. */
export interface End {
  readonly namespace: string | null;
  readonly labels: Labels;
  /** Ports by the names that the pod gives them. */
  readonly ports: Readonly<Record<string, number>>;
  readonly ip?: string;
}

export interface Connection {
  readonly from: End;
  readonly to: End;
  readonly port: number;
  /** @defaultValue TCP */
  readonly protocol?: 'TCP' | 'UDP';
}

export function passes(policies: readonly Policy[], connection: Connection): boolean {
  const { from, to } = connection;
  const outgoing = policies.filter((policy) => isHeldBy(policy, from, 'Egress'));
  const incoming = policies.filter((policy) => isHeldBy(policy, to, 'Ingress'));
  return (
    isLet(outgoing, connection, ({ spec }) => (spec.egress ?? []).map((rule) => [rule, rule.to])) &&
    isLet(incoming, connection, ({ spec }) => (spec.ingress ?? []).map((rule) => [rule, rule.from]))
  );
}

function isLet(
  policies: readonly Policy[],
  connection: Connection,
  rulesOf: (policy: Policy) => readonly (readonly [Rule, readonly Peer[] | undefined])[],
): boolean {
  if (policies.length === 0) return true;
  const { from, to } = connection;
  return policies.some((policy) =>
    rulesOf(policy).some(([rule, peers]) => {
      const other = peers === rule.to ? to : from;
      const isPeer = peers === undefined || peers.some((peer) => isOne(peer, other, policy));
      return isPeer && isPort(rule, connection);
    }),
  );
}

function isHeldBy(policy: Policy, end: End, type: string): boolean {
  const { podSelector, policyTypes } = policy.spec;
  const isNear = end.namespace === policy.metadata.namespace;
  return isNear && policyTypes.includes(type) && isSelected(podSelector, end.labels);
}

function isOne({ namespaceSelector, podSelector, ipBlock }: Peer, end: End, of: Policy): boolean {
  if (ipBlock !== undefined) return end.ip !== undefined && isInside(ipBlock.cidr, end.ip);
  if (end.namespace === null) return false;
  const isNear =
    namespaceSelector === undefined
      ? end.namespace === of.metadata.namespace
      : isSelected(namespaceSelector, { 'kubernetes.io/metadata.name': end.namespace });
  return isNear && isSelected(podSelector ?? {}, end.labels);
}

function isInside(cidr: string, ip: string): boolean {
  const [address = '', bits = ''] = cidr.split('/');
  const list = new BlockList();
  list.addSubnet(address, Number(bits));
  return list.check(ip);
}

function isPort({ ports }: Rule, { to, port, protocol = 'TCP' }: Connection): boolean {
  const numberOf = (one: string | number): number | undefined =>
    typeof one === 'number' ? one : to.ports[one];
  return (
    ports === undefined ||
    ports.some((one) => one.protocol === protocol && numberOf(one.port) === port)
  );
}

export function isSelected(
  { matchLabels = {}, matchExpressions = [], ...unknown }: Selector,
  labels: Labels,
): boolean {
  const odd = [...Object.keys(unknown), ...matchExpressions.map(({ operator }) => operator)];
  if (odd.some((one) => one !== 'Exists')) throw new Error(`not judged here: ${odd.join()}`);
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key }) => key in labels)
  );
}
