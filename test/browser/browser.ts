import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Debian's chromium, or null where there is none. */
export const chromiumPath = PLACES.find((path) => existsSync(path)) ?? null;

/** Without a sandbox only for root, whom chromium refuses one. */
export function launch(): Promise<Browser> {
  if (chromiumPath === null) throw new Error('there is no chromium');
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: chromiumPath,
    args: ['--disable-dev-shm-usage', ...(isRoot ? ['--no-sandbox'] : [])],
  });
}
