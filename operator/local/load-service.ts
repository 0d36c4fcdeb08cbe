import { readFileSync } from 'node:fs';
import type { CachedModelService } from '../../crds/v1alpha1/cached-model-service.ts';
import { formatProblems } from '../../crds/schema/manifest-problem.ts';
import { readManifest } from '../../crds/schema/manifest.ts';
import { errorText } from '../../server/core/system-error.ts';
import { CliError } from '../errors.ts';
import type { ViewOutput } from './view/run-view.ts';

/** A manifest's text; `-` is standard input. */
export function readManifestFile(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new CliError('ManifestUnreadable', {
      where: nameOfFile(path),
      why: `${errorText(error)}.`,
      cause: error,
    });
  }
}

/** A path as messages call it. */
export function nameOfFile(path: string): string {
  return path === '-' ? 'standard input' : path;
}

/**
 * Reads and checks the manifest of a local run; every problem is in the one error. What it sets for a cluster alone is
 * named in one line on `stderr`, since the run goes on without it.
 */
export function loadService(path: string, stderr: Pick<ViewOutput, 'write'>): CachedModelService {
  const name = nameOfFile(path);
  const { service, problems, clusterOnly } = readManifest(readManifestFile(path), name, {
    local: true,
  });
  if (service === null) {
    throw new CliError('InvalidSpec', {
      where: name,
      why: `${problems.length === 1 ? 'one problem' : `${problems.length} problems`}.\n${formatProblems(problems, name)}`,
    });
  }
  if (clusterOnly.length > 0) {
    stderr.write(`${name}: without effect in local mode: ${clusterOnly.join(', ')}\n`);
  }
  return service;
}
