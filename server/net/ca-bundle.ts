import { X509Certificate } from 'node:crypto';
import { fetchFailed } from './fetch-problem.ts';
import { readMountedFiles } from './mounted-files.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Every certificate in a mounted ConfigMap, whatever its keys are called; empty when none is mounted. `field` names it. */
export async function readCaBundle(dir: string | null, field: string): Promise<readonly string[]> {
  const files = await readMountedFiles(dir);
  if (files === null) return [];
  const found = certificatesIn([...files.values()]);
  if (found.length > 0) return found;
  throw fetchFailed(
    `The ConfigMap of ${field} holds no readable PEM certificate; put the CA into it.`,
  );
}

/** Every PEM certificate of these texts; none when one of them cannot be read. */
export function certificatesIn(texts: readonly string[]): readonly string[] {
  const found = texts.flatMap((text) => text.match(CERTIFICATE) ?? []);
  return found.every(isCertificate) ? found : [];
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
