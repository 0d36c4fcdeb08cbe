import { ageText } from '../output/words.ts';
import { finding, ok, unknown, type Finding } from './finding.ts';

/** A certificate or a token of the operator is refused when clocks differ by more; times of commands are then wrong, too. */
const MOST_SECONDS = 30;

/** The node of the kubelet that renewed a Lease, by its own clock. */
export interface NodeClock {
  readonly node: string;
  readonly renewedMs: number;
}

/**
 * Clocks of nodes: a kubelet renews its Lease every 10 s and writes the time of its node. One that is ahead shows at once; one that
 * is behind looks like one that stopped. Null: this user may not list those Leases.
 */
export function checkNodeClocks(
  clocks: readonly NodeClock[] | null,
  serverMs: number,
): readonly Finding[] {
  if (clocks === null) return [unknown('Clocks', 'this user may not read the clocks of nodes')];
  if (clocks.length === 0) return [];
  const wrong = clocks.flatMap(({ node, renewedMs }) => {
    const aheadSeconds = Math.round((renewedMs - serverMs) / 1000);
    if (aheadSeconds <= MOST_SECONDS && aheadSeconds >= -2 * MOST_SECONDS) return [];
    const words =
      aheadSeconds > 0
        ? `the clock of node ${node} is ${aheadSeconds} s ahead of the API server`
        : `node ${node} says that it was alive ${ageText(-aheadSeconds)} ago: its clock is behind, or it is down`;
    return [
      finding('Clocks', words, `Set its clock by NTP; kubectl describe node ${node} tells of it.`),
    ];
  });
  if (wrong.length > 0) return wrong;
  return [ok('Clocks', `of ${clocks.length} nodes none is far from the API server`)];
}

/** This machine against the API server. The date of an answer has whole seconds. */
export function checkClocks(localMs: number, serverMs: number | null): Finding {
  if (serverMs === null) return unknown('Clocks', 'the API server does not tell its time');
  const seconds = Math.round((localMs - serverMs) / 1000);
  const words = `this machine is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the API server`;
  return Math.abs(seconds) > MOST_SECONDS
    ? finding(
        'Clocks',
        words,
        'Set the clocks by NTP, of the nodes as well: ages and rollout times are read from them.',
      )
    : ok('Clocks', words);
}
