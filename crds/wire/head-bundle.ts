export type PoolSize = 1 | 2 | 4;
export type HiddenSize = 0 | 64 | 128 | 256 | 1024;

/** Weights as stored: int8 with one fp32 scale per output column, or fp16 bits. Row-major [rows = inputs][columns = outputs]. */
export type BundleMatrix =
  | {
      readonly type: 'int8';
      readonly rows: number;
      readonly columns: number;
      readonly values: Int8Array;
      readonly scales: Float32Array;
    }
  | {
      readonly type: 'float16';
      readonly rows: number;
      readonly columns: number;
      readonly values: Uint16Array;
    };

export type ScoreFeature = 'logitMax' | 'margin' | 'entropy';

/** q = sigmoid(intercept + sum weights[i] * (x[i] - mean[i]) / scale[i]) over the listed features (exits.md 4.4). */
export interface ScoreCoefficients {
  readonly features: readonly ScoreFeature[];
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly weights: readonly number[];
  readonly intercept: number;
}

/** Expected answers on 16 seeded synthetic rows (see server/core/known-answer.ts): class and logit of q, the latter to 1e-3. */
export interface BundleKnownAnswers {
  readonly seed: number;
  readonly classes: readonly number[];
  readonly scoreLogits: readonly number[];
}

export interface BundleHead {
  readonly exit: string;
  /** Exactly one of tensor, modelDigest is not null; a companion has no weights (featureCount = classCount, w1 = null). */
  readonly tensor: string | null;
  readonly modelDigest: string | null;
  readonly pool: PoolSize;
  readonly hidden: HiddenSize;
  /** pool * pool * channels. */
  readonly featureCount: number;
  /** Standardisation x = clip((f - mean) / scale, +-8). */
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  /** [featureCount, hidden or classCount]; b1 alike. */
  readonly w1: BundleMatrix | null;
  readonly b1: Float32Array | null;
  /** [hidden, classCount], null when hidden is 0. */
  readonly w2: BundleMatrix | null;
  readonly b2: Float32Array | null;
  readonly score: ScoreCoefficients;
  /** T_e: reported class scores are softmax(z / temperature). Decides nothing. */
  readonly temperature: number;
  readonly knownAnswers: BundleKnownAnswers;
}

/** Where a bundle comes from (exits.md 4.7); numbers for people and status, never for decisions of a server. */
export interface HeadProvenance {
  readonly trainerVersion: string;
  readonly seed: number;
  readonly sampleDigest: string;
  readonly costDigest: string;
  readonly trainingRows: number;
  readonly validationRows: number;
  readonly validationDisagreements: number;
  readonly samplesUntil: readonly {
    readonly podUid: string;
    readonly bootId: string;
    readonly seq: number;
  }[];
  readonly exits: readonly {
    readonly exit: string;
    readonly auroc: number;
    readonly agreement: number;
    readonly coverage: number;
  }[];
  readonly parent: string | null;
}

/** All heads of one revision, exits in backbone order (companions first). The file's sha256 is the head revision. */
export interface HeadBundle {
  readonly schemaVersion: 1;
  readonly backboneDigest: string;
  readonly classCount: number;
  readonly heads: readonly BundleHead[];
  readonly training: HeadProvenance;
}
