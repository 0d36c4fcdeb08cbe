/** Where a pod finds what it mounts. */
export const POD_PATHS = {
  policyDir: '/etc/layercache/policy',
  adminDir: '/etc/layercache/admin',
  credentialsDir: '/etc/layercache/credentials',
  caBundleDir: '/etc/layercache/ca-bundle',
  warmupDir: '/etc/layercache/warmup',
  storeCredentialsDir: '/etc/layercache/store-credentials',
  storeCaBundleDir: '/etc/layercache/store-ca-bundle',
  modelDir: '/var/lib/layercache/model',
  cacheDir: '/var/cache/layercache',
} as const;
