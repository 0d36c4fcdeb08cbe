// Blocks of Python, run in the shell of the guide behind the lines that a reader has before them: a model, rows.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { blockText } from '../../unit/docs/documents.ts';
import type { GuidePlace } from './guide-place.ts';

/** Why this interpreter cannot import these modules, with the next step, said on standard error too; null: it can. */
export function whyNoModules(python: string, modules: readonly string[]): string | null {
  const { status } = spawnSync(python, ['-c', `import ${modules.join(', ')}`]);
  if (status === 0) return null;
  const why = `${python} cannot import ${modules.join(' and ')}: name a Python that can in LAYERCACHE_TEST_PYTORCH`;
  process.stderr.write(`\nSKIPPED: the PyTorch block of the guide to one's own model: ${why}\n`);
  return why;
}

export interface PythonBlocks {
  /** Runs the block behind these lines, with what may replace words of it; returns what it printed on standard output. */
  run(before: string, id: string, words?: Readonly<Record<string, string>>): Promise<string>;
  /** Runs these lines alone. */
  lines(text: string): Promise<string>;
}

export function pythonBlocks({ shell, path }: GuidePlace, python: string): PythonBlocks {
  const lines = (text: string): Promise<string> => {
    writeFileSync(path('example.py'), text);
    return shell.run(`${python} example.py`);
  };
  return {
    lines,
    run: (before, id, words = {}) => {
      const block = Object.entries(words).reduce(
        (text, [from, to]) => text.replace(from, to),
        blockText(id),
      );
      return lines(`${before}\n${block}`);
    },
  };
}
