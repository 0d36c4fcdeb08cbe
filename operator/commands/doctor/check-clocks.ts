import { finding, ok, unknown, type Finding } from './finding.ts';

/** A certificate or a token of the operator is refused when clocks differ by more; times of commands are then wrong, too. */
const MOST_SECONDS = 30;

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
