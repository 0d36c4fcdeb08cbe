import { watch } from 'node:fs';
import type { Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import type { PolicyApplier } from '../apply-policy.ts';
import type { Clock } from '../clock.ts';
import { readMountedPolicy } from './policy-files.ts';

export interface PolicyWatch {
  /** Reads the directory when its target changed, or when it was not read for 30 s; cheap otherwise. */
  look(): Promise<void>;
  /** Looks as soon as the system tells of a change, where it does; looking now and then stays needed. Returns what ends it. */
  follow(onError: (error: unknown) => void): () => void;
  /** The directory that the mounted policy was last read from, for head bundles beside it. */
  readonly dirs: readonly string[];
}

export interface PolicyWatchOptions {
  readonly dir: string | null;
  readonly clock: Clock;
  /** Null until the backbone is loaded. */
  readonly applier: () => Pick<PolicyApplier, 'apply' | 'acknowledgement'> | null;
  /** A policy above the one in force came: somebody publishes, so the policy is not stale. */
  readonly onHigher: () => void;
}

const REREAD_MS = 30_000;

/** The mounted policy: the way that needs neither the operator nor the network between it and the pod. */
export function createPolicyWatch({
  dir,
  clock,
  applier,
  onHigher,
}: PolicyWatchOptions): PolicyWatch {
  const dirs: string[] = [];
  let text = '';
  let readMs = -Infinity;
  let looking: Promise<void> | null = null;
  /** Something changed while it was looked at. */
  let isStale = false;

  async function look(): Promise<void> {
    const target = applier();
    if (dir === null || target === null) return;
    const mounted = await readMountedPolicy(dir);
    if (mounted === null) return;
    const isSame = mounted.text === text && mounted.dir === dirs[0];
    const before = target.acknowledgement();
    // What was applied needs no second reading; what was refused may fit by now.
    const isDue = !isSettled(before) && clock.monotonicMs() - readMs >= REREAD_MS;
    if (isSame && !isDue) return;
    dirs[0] = mounted.dir;
    text = mounted.text;
    readMs = clock.monotonicMs();
    const after = await target.apply(mounted.text, 'mount');
    if (isHigher(after, before)) onHigher();
  }

  /** Resolves when what was there as it was called has been looked at, by whoever looks. */
  function lookOnce(): Promise<void> {
    isStale = true;
    looking ??= lookUntilFresh();
    return looking;
  }

  async function lookUntilFresh(): Promise<void> {
    try {
      while (takeStale()) await look();
    } finally {
      looking = null;
    }
  }

  function takeStale(): boolean {
    const wasStale = isStale;
    isStale = false;
    return wasStale;
  }

  return {
    dirs,
    look: lookOnce,
    follow: (onError) => {
      if (dir === null) return () => undefined;
      try {
        const watcher = watch(dir, { persistent: false }, () => void lookOnce().catch(onError));
        watcher.on('error', onError);
        return () => {
          watcher.close();
        };
      } catch (error) {
        // Not mounted yet, or no watches left: looking now and then does it.
        onError(error);
        return () => undefined;
      }
    },
  };
}

function isSettled({ result, reason }: Acknowledgement): boolean {
  return result !== 'Rejected' && reason === '';
}

function isHigher(after: Acknowledgement, before: Acknowledgement): boolean {
  return (
    after.epoch > before.epoch || (after.epoch === before.epoch && after.revision > before.revision)
  );
}
