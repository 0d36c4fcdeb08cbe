/** Equal to package.json (tested): a bundle has no package.json beside it. */
export const VERSION = '0.1.0';

/** Written into bundles. */
declare const LAYERCACHE_COMMIT: string | undefined;

/** What the bundle was built from; unknown where the sources run. */
export const COMMIT = typeof LAYERCACHE_COMMIT === 'string' ? LAYERCACHE_COMMIT : 'unknown';
