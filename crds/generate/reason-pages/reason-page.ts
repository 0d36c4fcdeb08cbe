/**
 * What a page about a reason adds to its entry in the catalogue. `seen`: where the name stands, a condition of the service
 * with its status (`Ready=False`), one of a revision (`revision Available=False`), or another place in words. `check`: how to
 * find out which case this is; commands take NAMESPACE, NAME and POD.
 */
export interface ReasonPage {
  readonly seen: readonly string[];
  readonly check: string;
}
