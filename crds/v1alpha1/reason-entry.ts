/** `meaning` defines the reason in one sentence; `action` is what the user does, empty when nothing is asked of him. */
export interface ReasonEntry {
  readonly meaning: string;
  readonly action: string;
}
