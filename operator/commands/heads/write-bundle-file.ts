import { CliError } from '../../errors.ts';
import { writeOutput } from '../output/write-output.ts';
import type { OpenedBundle } from './read-bundle.ts';

/** Writes the file of a bundle, but never one that is not what its revision says. */
export async function writeBundleFile(path: string, opened: OpenedBundle): Promise<void> {
  const { where, digest, claimedDigest, bytes } = opened;
  if (claimedDigest !== null && claimedDigest !== digest) {
    throw new CliError('HeadsUnreadable', {
      where,
      why: `it is ${digest}, and its revision says ${claimedDigest}.`,
      nextStep: 'Restore the right file.',
    });
  }
  await writeOutput(path, bytes);
}
