/** Nobody waits for another leader, and a training beside it may keep the one there is from its processor for seconds. */
export const PATIENT_LEASE = {
  LAYERCACHE_LEASE_DURATION: '60s',
  LAYERCACHE_LEASE_RENEW_DEADLINE: '45s',
  LAYERCACHE_LEASE_RETRY_PERIOD: '2s',
};
