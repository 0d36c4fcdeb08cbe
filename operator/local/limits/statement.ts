/** Something a person should know about a run as a whole: one of the known limits, with its reason and what to do. */
export interface Statement {
  readonly reason: string;
  /** One or two sentences with the figures. */
  readonly message: string;
  readonly nextStep: string;
}
