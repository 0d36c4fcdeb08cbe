/** What may look unlike before: share of rows that leave, scores of the first exit, classes, confidence of the backbone (exits.md 8.5). */
export const DRIFT_HINTS = ['hit_rate', 'score_shift', 'class_mix', 'teacher_confidence'] as const;

export type DriftHint = (typeof DRIFT_HINTS)[number];
