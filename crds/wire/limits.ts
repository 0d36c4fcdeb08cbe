/**
 * Caps of everything that travels. A parser refuses what is above its cap before it reads further, so that a broken
 * or hostile peer costs bounded memory. Sizes are bytes (JSON: characters, never more than its bytes).
 */
export const WIRE_LIMITS = {
  policyBytes: 256 * 1024,
  acknowledgementBytes: 64 * 1024,
  evidenceAnswerBytes: 4 * 1024 * 1024,
  evidenceWindowBytes: 64 * 1024,
  stateBytes: 4 * 1024 * 1024,
  headBundleBytes: 64 * 1024 * 1024,
  headManifestBytes: 512 * 1024,
  sampleBatchBytes: 64 * 1024 * 1024,
  sampleHeaderBytes: 64 * 1024,
  jsonDepth: 16,
  exits: 16,
  classes: 65_536,
  features: 1_048_576,
  sampleRows: 50_000,
  windows: 2_000,
} as const;
