import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ViewOutput } from '../local/view/run-view.ts';

/** The process as commands see it. */
export interface CliIo {
  readonly bundleDir: string;
  readonly stdout: ViewOutput;
  readonly stderr: ViewOutput;
  readonly isTerminal: boolean;
  /** Whether standard output shows colours; absent: it does not. */
  readonly isColourful?: boolean;
  /** As help names the program; absent: `layercache`. */
  readonly programName?: string;
  /** What child processes inherit: everything but settings of ours, which the parent passes on purpose; engines are the machine's. */
  readonly environment: Readonly<Record<string, string>>;
}

export function processIo(): CliIo {
  const { NO_COLOR: noColour = '', TERM: terminal } = process.env;
  return {
    isColourful: process.stdout.isTTY && noColour === '' && terminal !== 'dumb',
    programName: basename(process.argv[1] ?? '').startsWith('kubectl-')
      ? 'kubectl layercache'
      : 'layercache',
    bundleDir: dirname(fileURLToPath(import.meta.url)),
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    isTerminal: process.stderr.isTTY && process.env.TERM !== 'dumb',
    environment: Object.fromEntries(
      Object.entries(process.env).filter(
        (entry): entry is [string, string] =>
          entry[1] !== undefined &&
          (!entry[0].startsWith('LAYERCACHE_') || entry[0] === 'LAYERCACHE_ENGINES_DIR'),
      ),
    ),
  };
}

function outputOf(stream: NodeJS.WriteStream): ViewOutput {
  // A closed pipe (| head) ends the output, not the program.
  stream.on('error', () => undefined);
  return {
    write: (text) => {
      stream.write(text);
    },
    get columns() {
      return stream.columns as number | undefined;
    },
  };
}
