import type { LoopTimes } from './policy-times.ts';

/** What a run measured, as a table for people. */
export interface Figures {
  add(name: string, value: number | string): void;
  /** How long policies took to the last pod. */
  policies(times: LoopTimes): void;
  text(): string;
}

export function createFigures(): Figures {
  const rows: (readonly [string, string])[] = [];
  const add: Figures['add'] = (name, value) => {
    const shown = typeof value === 'number' ? value.toLocaleString('en') : value;
    rows.push([name, shown]);
  };
  return {
    add,
    policies: ({ policies }) => {
      const tookMs = policies.map(({ publishedMs, appliedMs }) => appliedMs - publishedMs);
      tookMs.sort((a, b) => a - b);
      const median = tookMs[Math.floor(tookMs.length / 2)] ?? 0;
      add(
        'policy stored to the last pod that runs it',
        `median ${median} ms, most ${tookMs.at(-1) ?? 0} ms, of ${tookMs.length}`,
      );
    },
    text: () => {
      const width = Math.max(0, ...rows.map(([name]) => name.length));
      return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
    },
  };
}
