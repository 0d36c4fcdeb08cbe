interface Priced {
  readonly macs: number;
  readonly digest: string;
}

/** The order in which companions run. Ties by digest: every pod and the trainer must find the same one. */
export function cheapestFirst(a: Priced, b: Priced): number {
  return a.macs - b.macs || (a.digest < b.digest ? -1 : 1);
}
