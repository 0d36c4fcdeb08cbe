import { CommanderError } from 'commander';
import { errorText } from '../../server/core/system-error.ts';
import { CliError } from '../errors.ts';
import type { CliIo } from './cli-io.ts';

/** Prints an error as one paragraph and says the exit code. Commander has printed its own already. */
export function printError(error: unknown, io: CliIo, debug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CliError) {
    io.stderr.write(`${error.message}\n${debug ? `${stackOf(error)}\n` : ''}`);
    return error.exitCode;
  }
  io.stderr.write(
    `Something went wrong inside layercache: ${errorText(error)}. Run again with --debug and report what it prints.\n`,
  );
  if (debug) io.stderr.write(`${stackOf(error)}\n`);
  return 1;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
