/** A path inside an object, as in `['spec', 'exits', 0]`. */
export type FieldPath = readonly (string | number)[];

/** A value and where it stands. */
export type Place<T> = readonly [path: FieldPath, value: T];

/** One row of a table of rules: the text for the API server and its TypeScript twin. */
export interface RuleRow<T> {
  /** CEL over `self`, the value at the rule's path, as the API server evaluates it. */
  readonly cel: string;
  readonly message: string;
  /** What to do, where the message does not say it after a colon. */
  readonly fix?: string;
  /** The twin of `cel`, on the parsed value. */
  readonly holds: (value: T) => boolean;
}

/** Where the rules of one table stand. */
export interface RuleSite<O, T> {
  /** Place in the schema; empty for the root, `[]` = at each item. */
  readonly path: string;
  /** Field below `path` that an answer names, as in `.replicas`; absent: `path` itself. */
  readonly fieldPath?: string;
  /** Other fields that the rules look at: when one of them is malformed, they say nothing. */
  readonly reads?: readonly string[];
  readonly places: (object: O) => readonly Place<T>[];
}

/** What must hold between fields (api.md 4). The texts are the ones that the API server answers with. */
export interface Rule<O> {
  readonly path: string;
  readonly fieldPath: string | undefined;
  readonly cel: string;
  readonly message: string;
  readonly fix: string | undefined;
  readonly reads: readonly string[];
  /** Fields that break it, empty when it holds. */
  brokenAt(object: O): readonly FieldPath[];
  holds(object: O): boolean;
}

/** What must hold between an object and the one that it replaces. */
export interface TransitionRule<O> {
  readonly path: string;
  readonly fieldPath: string | undefined;
  /** CEL over `self` and `oldSelf`. */
  readonly cel: string;
  readonly message: string;
  holds(now: O, before: O): boolean;
}

/** Binds a table of rules to the places where their values stand. */
export function rulesAt<O, T>(site: RuleSite<O, T>, table: readonly RuleRow<T>[]): Rule<O>[] {
  const { path, fieldPath, reads = [], places } = site;
  return table.map(({ cel, message, fix, holds }) => {
    const brokenAt = (object: O): FieldPath[] =>
      places(object)
        .filter(([, value]) => !holds(value))
        .map(([place]) => place);
    return {
      path,
      fieldPath,
      cel,
      message,
      fix,
      reads,
      brokenAt,
      holds: (object) => brokenAt(object).length === 0,
    };
  });
}

/** The place of an optional block: none when it is absent. */
export function optionalPlace<T>(path: FieldPath, value: T | undefined): Place<T>[] {
  return value === undefined ? [] : [[path, value]];
}
