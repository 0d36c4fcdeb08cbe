import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const isThere = spawnSync('promtool', ['--version']).status === 0;

/** Why no page can be linted here; null where promtool is. Said aloud once: a skipped check must not look like a passed one. */
export const promtoolMissing: string | null = isThere
  ? null
  : 'promtool is missing: Debian has it in the package prometheus';

if (promtoolMissing !== null) process.stderr.write(`SKIPPED: ${promtoolMissing}\n`);

/** Gauges that prom-client has always called so; dashboards of Node programs ask for these names. */
const PUBLIC_NAMES = /^nodejs_active_(handles|requests|resources)_total /;

/** What `promtool check metrics` finds in a page, one complaint per line; empty when it is clean. */
export function lintMetrics(page: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
  });
  const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  // 3: it read the page and complains.
  if (status !== 0 && status !== 3) return [`promtool ended with ${String(status)}`, ...lines];
  return lines.filter((line) => !PUBLIC_NAMES.test(line));
}

export interface RuleTests {
  /** As a file of rules has them. */
  readonly rules: object;
  readonly tests: readonly object[];
}

/** Asks `promtool test rules`, with rules evaluated each minute. @param all by names for the report */
export function testRules(all: Readonly<Record<string, RuleTests>>): {
  readonly status: number | null;
  readonly report: string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-rules-'));
  const write = (file: string, content: object): void => {
    writeFileSync(join(folder, file), JSON.stringify(content));
  };
  try {
    const files = Object.entries(all).map(([name, { rules, tests }]) => {
      write(`${name}.rules.json`, rules);
      const rule_files = [`${name}.rules.json`];
      write(`${name}.json`, { rule_files, evaluation_interval: '1m', tests });
      return `${name}.json`;
    });
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', ...files], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, report: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
