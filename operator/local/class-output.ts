import type { ServerState } from '../../crds/wire/state.ts';
import { CliError } from '../errors.ts';

/** The output whose classes a run counts and compares; a backbone without one is served, but there is nothing to certify. */
export function classOutputOf(
  { outputName, outputProblem }: ServerState['backbone'],
  where: string,
): string {
  if (outputName !== null) return outputName;
  throw new CliError('NoClassOutput', { where, why: outputProblem?.message ?? 'it has none.' });
}
