import { spawnSync } from 'node:child_process';

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
