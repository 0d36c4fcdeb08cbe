import { readFileSync } from 'node:fs';
import type { CachedModelService } from '../../crds/v1alpha1/cached-model-service.ts';
import { formatProblems, readManifest } from '../../crds/schema/manifest.ts';
import { CliError, messageOf } from '../errors.ts';

/** A manifest's text; `-` is standard input. */
export function readManifestFile(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new CliError('ManifestUnreadable', {
      where: path,
      why: `${messageOf(error)}.`,
      cause: error,
    });
  }
}

/** Reads and checks a manifest; every problem is in the one error. */
export function loadService(path: string): CachedModelService {
  const { service, problems } = readManifest(readManifestFile(path), path);
  if (service !== null && problems.length === 0) return service;
  throw new CliError('InvalidSpec', {
    where: path,
    why: `${problems.length === 1 ? 'one problem' : `${problems.length} problems`}.\n${formatProblems(problems, path)}`,
  });
}
