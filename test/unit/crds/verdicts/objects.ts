/** A revision with the smallest spec and the given fields of it replaced; as plain values. */
export function aRevisionManifest(
  spec: Record<string, unknown> = {},
  name = 'vision-3f2a9c1b77d0',
): Record<string, unknown> {
  return {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CacheHeadRevision',
    metadata: { name },
    spec: {
      serviceName: 'vision',
      backboneDigest: `sha256:${'0'.repeat(64)}`,
      bundle: { digest: `sha256:${'1'.repeat(64)}`, sizeBytes: 151_552, configMapName: 'heads' },
      exits: [{ name: 'early', tensor: 'layer2_out', pool: 2, hidden: 64 }],
      classCount: 1000,
      ...spec,
    },
  };
}
