import { spawnSync } from 'node:child_process';

/** What programs are built from, for `build_info`: SOURCE_COMMIT, where sources come without their repository; else what git says. */
export const commit = process.env.SOURCE_COMMIT || describe() || 'unknown';

function describe() {
  const words = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
  const { status, stdout } = spawnSync('git', words, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}
