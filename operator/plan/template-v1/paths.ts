/** Where a server finds what is mounted; a contract with the server image. */
export const POLICY_DIR = '/etc/layercache/policy';
export const ADMIN_DIR = '/etc/layercache/admin';
export const CREDENTIALS_DIR = '/etc/layercache/credentials';
export const CA_BUNDLE_DIR = '/etc/layercache/ca-bundle';
export const STORE_CREDENTIALS_DIR = '/etc/layercache/store-credentials';
export const STORE_CA_BUNDLE_DIR = '/etc/layercache/store-ca-bundle';
export const WARMUP_DIR = '/etc/layercache/warmup';
/** `pvc://CLAIM/PATH` is `<MODEL_DIR>/PATH`; of a companion `<MODEL_DIR>-<exit>/PATH`. */
export const MODEL_DIR = '/var/lib/layercache/model';
export const CACHE_DIR = '/var/cache/layercache';
