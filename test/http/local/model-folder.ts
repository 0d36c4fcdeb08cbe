import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Puts a backbone with centred NCHW rows and its manifest into a folder; returns the manifest's path. */
export function writeModelFolder(
  folder: string,
  model: Uint8Array,
  { name, spec }: { readonly name: string; readonly spec: string },
): string {
  writeFileSync(join(folder, 'model.onnx'), model);
  writeFileSync(
    join(folder, 'layercache.json'),
    JSON.stringify({ input: { name: 'input', layout: 'NCHW', mean: [128], std: [50] } }),
  );
  const manifest = join(folder, 'service.yaml');
  writeFileSync(
    manifest,
    `apiVersion: layercache.io/v1alpha1
kind: CachedModelService
metadata: {name: ${name}}
spec:
  backbone: {uri: "file:model.onnx"}
${spec}`,
  );
  return manifest;
}
