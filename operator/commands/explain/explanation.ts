import type { AgreementName } from '../../../crds/wire/agreement.ts';

/** What `explain NAME` found out, in base units; the renderer makes words of it, `-o json` prints it. */
export interface Explanation {
  readonly name: string;
  readonly namespace: string;
  /** What keeps the endpoint from answering; null: it answers, or nothing is known yet. */
  readonly notReady: NotReady | null;
  readonly exits: ExitsVerdict;
  readonly perExit: readonly ExitReason[];
  readonly evidence: readonly TrackEvidence[];
  readonly traffic: Traffic;
  readonly missing: readonly Missing[];
  readonly rollout: RolloutVerdict;
  readonly nextSteps: readonly string[];
  /** What could not be looked at, and why. */
  readonly unseen: readonly string[];
}

export interface NotReady {
  readonly reason: string;
  readonly message: string;
}

export interface ExitsVerdict {
  readonly state: 'On' | 'Off' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly since: string | null;
}

export interface ExitReason {
  readonly name: string;
  readonly place: string | null;
  readonly answers: boolean;
  readonly why: string;
}

/** Audited rows of one head revision against the budget. */
export interface TrackEvidence {
  readonly track: 'stable' | 'candidate';
  readonly revision: string;
  readonly attempt: number;
  readonly audits: number;
  readonly budget: number;
  readonly confidence: number;
  /** What the budget bounds. */
  readonly agreement: AgreementName;
  /** In force, else what the newest look allows, else the smallest of the grid. */
  readonly lambda: number;
  readonly isCertified: boolean;
  /** Rows; where the agreement is F1 the sum of their losses. */
  readonly disagreements: number;
  readonly upperBound: number;
  readonly leavingRatio: number;
  readonly looks: readonly {
    readonly look: number;
    readonly audits: number;
    readonly lambda: number | null;
  }[];
  /** Null: the last look is taken. */
  readonly nextLookAudits: number | null;
}

export interface Traffic {
  readonly rowsPerSecond: number | null;
  readonly from: 'operator' | 'pods' | null;
}

export interface Missing {
  readonly what: string;
  /** Null: it is not counted in rows. */
  readonly rows: number | null;
  /** At present traffic; null: nothing follows from it. */
  readonly seconds: number | null;
  /** Why there is no time, or what would change it. */
  readonly note: string | null;
}

export interface RolloutVerdict {
  readonly reason: string;
  readonly message: string;
  readonly since: string | null;
  /** Ended without promotion, or held. */
  readonly isStopped: boolean;
  readonly checks: readonly {
    readonly type: string;
    readonly verdict: string;
    readonly samples: number | null;
    readonly value: string | null;
    readonly limit: string | null;
  }[];
  readonly failed: readonly {
    readonly revision: string;
    readonly reason: string;
    readonly time: string | null;
  }[];
}
