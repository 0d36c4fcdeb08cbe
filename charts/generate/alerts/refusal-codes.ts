// Codes of the server's refusals as `layercache_requests_total` counts them; a test compares them with the server's catalogue.

/** Answered with 5xx: the server is at fault. A pod that drains says so on purpose. */
export const SERVER_FAULTS = [
  'internal',
  'engine_failed',
  'poison_row',
  'engine_down',
  'images_unavailable',
  'deadline',
] as const;

/** Answered with 429. */
export const REFUSED_FOR_LOAD = [
  'queue_full',
  'no_time',
  'too_many_requests',
  'too_many_bytes',
] as const;
