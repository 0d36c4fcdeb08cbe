/**
 * How an early answer is held against the backbone's (exits.md 12). Strict: it is that answer or it is not. F1: boxes, which may be
 * partly right.
 */
export const AGREEMENT_NAMES = ['Strict', 'F1'] as const;

export type AgreementName = (typeof AGREEMENT_NAMES)[number];

/** Losses of rows are whole tenths, rounded up: 0 agrees, 10 is wholly wrong. */
export const WHOLE_LOSS = 10;
