import type { FamilyKey } from '../queries/families.ts';

/** Families that no board and no alert asks for, and what they are there for. */
export const REFERENCE_ONLY = {
  backboneInfo: 'Which backbone a pod runs: a label to join, no curve.',
  backboneLoad: 'Asked once, when a start was slow.',
  warmUp: 'Asked once, when a start was slow.',
  buildInfo: 'Which version a pod runs: a label to join, no curve.',
  engineUp: 'A pod whose engine is down is not ready, which is shown.',
  evidenceWindows: 'Compared with the operator when evidence is missing.',
  fetchBytes: 'Asked once, when a start was slow.',
  headInfo: 'Which heads a pod runs: a label to join, no curve.',
  sampleReservoirCapacity: 'What `explain` counts to where memory ends collecting.',
  serviceInfo: 'Engine and format of a service: a label to join, no curve.',
  serviceReplicas: 'The platform shows replicas; here they explain a rollout that waits.',
  queueWork: 'The time of a pass is shown under its controller.',
} as const satisfies Partial<Record<FamilyKey, string>>;
