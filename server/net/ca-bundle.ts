import { X509Certificate } from 'node:crypto';
import { fetchFailed } from './fetch-problem.ts';
import { readMountedFiles } from './mounted-files.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Every certificate in a mounted ConfigMap, whatever its keys are called; empty when none is mounted. `field` names it. */
export async function readCaBundle(dir: string | null, field: string): Promise<readonly string[]> {
  const files = await readMountedFiles(dir);
  if (files === null) return [];
  const found = [...files.values()].flatMap((text) => text.match(CERTIFICATE) ?? []);
  if (found.length === 0 || !found.every(isCertificate)) {
    throw fetchFailed(
      `The ConfigMap of ${field} holds no readable PEM certificate; put the CA into it.`,
    );
  }
  return found;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
