// A shell as a person has it: interactive, on a terminal, typed into key by key.
import { spawn } from 'node:child_process';
import { eventually } from '../../support/eventually.ts';

export interface ShellSession {
  /** Types keys; a line end is `\r`, completion is `\t`. */
  type(keys: string): void;
  /** Waits until the screen shows it from here on, without colours and moves of the cursor. */
  shows(expected: RegExp): Promise<string>;
  end(): Promise<void>;
}

/** What terminals are sent beside text: colours, moves, titles, modes. */
const CONTROL = new RegExp(
  String.raw`\u001b(\[[0-9;?>=]*[ -/]*[@-~]|\][^\u0007\u001b]*(\u0007|\u001b\\)|[()][A-Z0-9]|[=>])|[\0\u0007\b\r\u000f]`,
  'g',
);

/** `script` of util-linux gives it a terminal. Ends with the test that calls `end`. */
export function startShell(
  command: string,
  environment: Readonly<Record<string, string>>,
): ShellSession {
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    env: { ...environment, TERM: 'xterm', LC_ALL: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let screen = '';
  let read = 0;
  child.stdout.on('data', (bytes: Buffer) => (screen += bytes.toString()));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => {
      resolve();
    }),
  );
  return {
    type: (keys) => {
      read = screen.length;
      child.stdin.write(keys);
    },
    shows: (expected) =>
      eventually(() => {
        const text = screen.slice(read).replaceAll(CONTROL, '');
        if (!expected.test(text)) throw new Error(`${command} shows ${JSON.stringify(text)}`);
        return text;
      }, 60_000),
    end: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
