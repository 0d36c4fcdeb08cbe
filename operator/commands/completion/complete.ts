/** A command as completion sees it: `commander` without its ways. */
export interface CommandShape {
  readonly name: string;
  readonly commands: readonly CommandShape[];
  readonly flags: readonly FlagShape[];
  /** Names of its arguments, with what may stand there where that is a closed list. */
  readonly operands: readonly { readonly name: string; readonly choices: readonly string[] }[];
}

export interface FlagShape {
  /** `--output`, and `-o` where it has one. */
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** What may follow: closed lists, and whether a service's name or a file may stand there as well. */
export interface Completion {
  readonly words: readonly string[];
  readonly wants: 'Service' | 'File' | null;
}

/** @param typed words after the program's name; the last one is being typed and may be empty. */
export function complete(root: CommandShape, typed: readonly string[]): Completion {
  const current = typed.at(-1) ?? '';
  const before = typed.slice(0, -1);
  const { command, operands, openFlag } = walk(root, before);
  if (openFlag !== null)
    return completionOf(
      openFlag.choices,
      current,
      openFlag.choices.length > 0 ? null : wantsOf(openFlag.names[0] ?? ''),
    );
  if (current.startsWith('-')) {
    return completionOf(
      command.flags.flatMap(({ names }) => names),
      current,
      null,
    );
  }
  const below = command.commands.map(({ name }) => name);
  const operand = command.operands[operands];
  const choices = [...(operands === 0 ? below : []), ...(operand?.choices ?? [])];
  return completionOf(choices, current, operand === undefined ? null : wantsOf(operand.name));
}

interface Walk {
  readonly command: CommandShape;
  readonly operands: number;
  readonly openFlag: FlagShape | null;
}

function walk(root: CommandShape, words: readonly string[]): Walk {
  let at: Walk = { command: root, operands: 0, openFlag: null };
  for (const word of words) at = stepOf(at, word);
  return at;
}

function stepOf({ command, operands, openFlag }: Walk, word: string): Walk {
  if (openFlag !== null) return { command, operands, openFlag: null };
  if (word.startsWith('-')) {
    const flag = word.includes('=')
      ? undefined
      : command.flags.find(({ names }) => names.includes(word));
    return { command, operands, openFlag: flag?.takesValue === true ? flag : null };
  }
  const below = operands === 0 ? command.commands.find(({ name }) => name === word) : undefined;
  return below === undefined
    ? { command, operands: operands + 1, openFlag: null }
    : { command: below, operands: 0, openFlag: null };
}

function wantsOf(name: string): Completion['wants'] {
  if (name === 'name' || name === 'service') return 'Service';
  const isFile = /(^|-)(file|to|folder|model|bundle|kubeconfig|report|state)$/.test(name);
  return isFile ? 'File' : null;
}

function completionOf(
  words: readonly string[],
  current: string,
  wants: Completion['wants'],
): Completion {
  return { words: [...new Set(words)].filter((word) => word.startsWith(current)).sort(), wants };
}
