/** Over the splits. */
export interface Spread {
  readonly mean: number;
  readonly sd: number;
  readonly largest: number;
}

/** What a rule came to at one level. Ratios are 0..1. */
export interface RuleResults {
  readonly name: string;
  /** Multiply-adds saved where each rule is set with hindsight on the rows it is judged on, so that all disagree equally. */
  readonly equal: Spread | null;
  /** Set on other rows than it is judged on, as one would. */
  readonly deployed: {
    readonly saved: Spread;
    readonly disagreement: Spread;
    /** Splits above the level, and splits where nothing left early. */
    readonly overBudget: number;
    readonly off: number;
    /** Of label accuracy; null: labels are unknown. */
    readonly accuracyChange: number | null;
    /** Null: not measured. */
    readonly meanTimeSaved: number | null;
    readonly p99TimeSaved: number | null;
  };
}

/** Attempts to certify on rows drawn anew, against what is true of all rows. */
export interface ReplayResults {
  readonly budget: number;
  readonly attempts: number;
  /** Audited rows of the last look. */
  readonly rowsOfAttempt: number;
  readonly certified: number;
  /** Attempts that certified a lambda above the budget. */
  readonly overBudget: number;
  /** Means over the attempts that certified, at the lambda that would be in force. */
  readonly disagreement: number;
  readonly saved: number;
}

export interface LevelResults {
  readonly budget: number;
  /** Heads that the product serves at this level: exit, pool, hidden units. */
  readonly heads: readonly {
    readonly exit: string;
    readonly pool: number;
    readonly hidden: number;
  }[];
  readonly rules: readonly RuleResults[];
  readonly replay: ReplayResults;
}

export interface CaseResults {
  readonly name: string;
  readonly macs: number;
  readonly trainingRows: number;
  readonly settingRows: number;
  readonly judgingRows: number;
  readonly backboneAccuracy: number | null;
  readonly levels: readonly LevelResults[];
}

export interface ExitsResults {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly onnxruntime: string;
  readonly splits: number;
  readonly cases: readonly CaseResults[];
}
