/** Where an exit sits: at a cut of the backbone, or in a companion model that runs before it. */
export interface ExitPlace {
  readonly tensor?: string | null | undefined;
  readonly modelDigest?: string | null | undefined;
}

/** The tensor or the digest: what tables of costs, policies and bundles know an exit by. Empty when it has neither. */
export function exitPlace({ tensor, modelDigest }: ExitPlace): string {
  return tensor ?? modelDigest ?? '';
}

/** The one field that says where an exit sits, as documents carry it; none when it has neither. */
export function placeFields({ tensor, modelDigest }: ExitPlace): {
  readonly tensor?: string;
  readonly modelDigest?: string;
} {
  if (typeof tensor === 'string') return { tensor };
  return typeof modelDigest === 'string' ? { modelDigest } : {};
}
