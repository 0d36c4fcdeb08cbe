import { spawnSync } from 'node:child_process';

const isThere = spawnSync('promtool', ['--version']).status === 0;

/** Why no page can be linted here; null where promtool is. Said aloud once: a skipped check must not look like a passed one. */
export const promtoolMissing: string | null = isThere
  ? null
  : 'promtool is missing: Debian has it in the package prometheus';

if (promtoolMissing !== null) process.stderr.write(`SKIPPED: ${promtoolMissing}\n`);

/** What `promtool check metrics` finds in a page, one complaint per line; empty when it is clean. */
export function lintMetrics(page: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
  });
  const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  return complaints.length === 0 && status !== 0
    ? [`promtool ended with ${String(status)}`]
    : complaints;
}
