// Completion as the shells themselves do it: the scripts are read by interactive shells, and the Tab key is pressed.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientTools } from '../../cluster/harness/client-tools.ts';
import { whyMissing } from '../../cluster/harness/missing-program.ts';
import { startShell, type ShellSession } from './shell-session.ts';

interface Shell {
  readonly name: 'bash' | 'zsh' | 'fish';
  /** Interactive, without what the machine or its user configures. */
  readonly command: string;
  /** Before any completion can be read. */
  readonly prepare: string;
  readonly load: (program: string) => string;
  /** Lists what may follow. */
  readonly listKeys: string;
  readonly packages: Readonly<Record<string, string>>;
}

const PROMPT = 'READY> ';
const SHELLS: readonly Shell[] = [
  {
    name: 'bash',
    command: 'bash --norc --noprofile -i',
    // kubectl's script for bash stands on functions of this package.
    prepare: `. /usr/share/bash-completion/bash_completion; PS1='${PROMPT}'`,
    listKeys: '\t\t',
    load: (program) => `source <(${program} completion bash)`,
    packages: { bash: 'bash', '/usr/share/bash-completion/bash_completion': 'bash-completion' },
  },
  {
    name: 'zsh',
    command: 'zsh -f -i',
    prepare: `autoload -U compinit; compinit -u -D; PS1='${PROMPT}'`,
    listKeys: '\t',
    load: (program) => `source <(${program} completion zsh)`,
    packages: { zsh: 'zsh' },
  },
  {
    name: 'fish',
    command: 'fish --private --no-config -i',
    prepare: `function fish_prompt; echo -n '${PROMPT}'; end`,
    listKeys: '\t',
    load: (program) => `${program} completion fish | source`,
    packages: { fish: 'fish' },
  },
];

let folder = '';
let environment: Record<string, string> = {};

/** The program under a name; it says what it was run with, but answers completion itself. */
function install(name: string): void {
  const program = resolve('dist/bundle/layercache.mjs');
  const target = join(folder, 'lib', name);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, `import ${JSON.stringify(program)};\n`);
  const node = JSON.stringify(process.execPath);
  const ask = `exec ${node} ${JSON.stringify(target)} "$@"`;
  const body = name.startsWith('kubectl_complete-')
    ? ask
    : `case "$1" in __complete|completion) ${ask} ;; esac\necho "RAN:$*:"`;
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, name), 0o755);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'layercache-shells-'));
  for (const name of ['layercache', 'kubectl-layercache', 'kubectl_complete-layercache'])
    install(name);
  writeFileSync(join(folder, 'manifest.yaml'), '');
  const { kubectl } = await clientTools();
  const path = [folder, dirname(kubectl), process.env.PATH ?? ''].join(delimiter);
  environment = { PATH: path, HOME: folder };
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.each(SHELLS)('$name', ({ name, command, prepare, load, listKeys, packages }) => {
  const missing = whyMissing({ ...packages, script: 'bsdutils' });
  if (missing !== null) process.stderr.write(`\nSKIPPED: completion in ${name}: ${missing}\n`);

  describe.skipIf(missing !== null)('on a terminal', () => {
    let shell: ShellSession;
    beforeAll(async () => {
      shell = startShell(command, environment);
      shell.type(`stty cols 200 rows 50; cd ${folder}; ${prepare}\r`);
      await shell.shows(/READY> *$/);
      for (const program of ['layercache', 'kubectl']) {
        shell.type(`${load(program)}\r`);
        await shell.shows(/READY> *$/);
      }
    });
    afterAll(() => shell.end());

    test.each([
      ['a command', 'layercache statu\tx', 'status x'],
      ['a command below a command', 'layercache rollout ab\tx', 'rollout abort x'],
      ['a flag', 'layercache status --kubec\tx', 'status --kubeconfig x'],
      ['a value of a closed list', 'layercache top -o ya\t', 'top -o yaml'],
      ['a file where files belong', 'layercache validate -f mani\t', 'validate -f manifest.yaml'],
      ['a command of the plugin of kubectl', 'kubectl layercache rollout ab\tx', 'rollout abort x'],
      [
        'a flag of the plugin of kubectl',
        'kubectl layercache status --kubec\tx',
        'status --kubeconfig x',
      ],
    ])('the Tab key completes %s', async (_, keys, ran) => {
      shell.type(`${keys}\r`);
      const text = await shell.shows(/RAN:.*:[\s\S]*READY> *$/);
      expect(/RAN:(.*):/.exec(text)?.[1]?.trimEnd()).toBe(ran);
    });

    // The last one: what is typed stays on the line.
    test('lists all that may follow', async () => {
      shell.type(`layercache rollout p${listKeys}`);
      expect(await shell.shows(/pause[\s\S]*promote/)).not.toContain('resume');
    });
  });
});
