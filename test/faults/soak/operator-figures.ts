import type { MetricPage } from '../../support/metric-page.ts';

export interface OperatorFigures {
  /** Differences that only a periodic list of the operator brought to light. */
  readonly relistMisses: number;
  /** Lists of the operator that a failure or an expired version made necessary. */
  readonly resyncFailures: number;
  /** Those that a silent watch did: bookmarks of kinds without events come up to 121 s apart (1.36, measured), later than the idle timer. */
  readonly idleLists: number;
  /** That the operator keeps a copy of. */
  readonly kinds: number;
}

/** What the metrics page of an operator says of its copies. */
export function operatorFigures({ series, of }: MetricPage): OperatorFigures {
  const sum = (pattern: RegExp): number =>
    [...series].reduce((total, [key, value]) => total + (pattern.test(key) ? value : 0), 0);
  return {
    relistMisses: sum(/^layercache_cache_misses_total/),
    resyncFailures: sum(/^layercache_cache_lists_total\{.*cause="(?:failure|expired)"/),
    idleLists: sum(/^layercache_cache_lists_total\{.*cause="idle"/),
    kinds: of('layercache_cache_current{').length,
  };
}
