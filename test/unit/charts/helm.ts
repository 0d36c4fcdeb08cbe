// Real Helm, both majors, without a cluster.
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { parse } from 'yaml';
import { clientTools, type HelmMajor } from '../../cluster/harness/client-tools.ts';
import { runCommand, type CommandResult } from '../../cluster/harness/run-command.ts';

export const CHART = fileURLToPath(new URL('../../../charts/layercache', import.meta.url));
export const RELEASE = 'demo';
export const NAMESPACE = 'layercache-system';
export const MAJORS = [3, 4] as const satisfies readonly HelmMajor[];

export interface ChartObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface Rendering {
  /** @defaultValue 4 */
  readonly major?: HelmMajor;
  readonly values?: object;
  /** @defaultValue 1.36.0 */
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly release?: string;
  /** Folder or archive. @defaultValue the chart of this tree */
  readonly chart?: string;
}

export type Rendered =
  | { readonly ok: true; readonly objects: readonly ChartObject[]; readonly text: string }
  | { readonly ok: false; readonly error: string };

const home = mkdtempSync(join(tmpdir(), 'layercache-helm-'));
afterAll(() => rm(home, { recursive: true, force: true }));

/** Values go in by standard input, for `--values -`; nothing of the caller's own Helm is read or changed. */
export async function helm(
  major: HelmMajor,
  args: readonly string[],
  values: object = {},
): Promise<CommandResult> {
  const { helm: program } = await clientTools(major);
  return runCommand(program, args, {
    input: JSON.stringify(values),
    environment: {
      HELM_CACHE_HOME: join(home, 'cache'),
      HELM_CONFIG_HOME: join(home, 'config'),
      HELM_DATA_HOME: join(home, 'data'),
      KUBECONFIG: '/dev/null',
    },
    deadlineMs: 60_000,
  });
}

/** `helm template`, with hooks; without the objects of other renderers. */
export async function render(rendering: Rendering = {}): Promise<Rendered> {
  const { major = 4, values = {}, kubeVersion = '1.36.0', apiVersions = [] } = rendering;
  const flags = ['--namespace', NAMESPACE, '--kube-version', kubeVersion, '--values', '-'];
  const known = apiVersions.flatMap((version) => ['--api-versions', version]);
  const { release = RELEASE, chart = CHART } = rendering;
  const args = ['template', release, chart, ...flags, ...known];
  const { code, stdout, stderr } = await helm(major, args, values);
  if (code !== 0) return { ok: false, error: stderr.trim() };
  return { ok: true, text: stdout, objects: objectsOf(stdout) };
}

/**
 * What Helm prints after an installation, on a cluster that knows no kinds but those of Kubernetes. Helm 3 would ask one
 * for its version.
 */
export async function notesOf(values: object): Promise<string> {
  const flags = ['--namespace', NAMESPACE, '--dry-run=client', '--values', '-'];
  const { code, stdout, stderr } = await helm(4, ['install', RELEASE, CHART, ...flags], values);
  if (code !== 0) throw new Error(stderr);
  const [, notes = ''] = /^NOTES:\n([\s\S]*)/m.exec(stdout) ?? [];
  return notes;
}

/** As `render`, where an error is the test's. */
export async function renderObjects(rendering: Rendering = {}): Promise<readonly ChartObject[]> {
  const rendered = await render(rendering);
  if (!rendered.ok) throw new Error(rendered.error);
  return rendered.objects;
}

/** Definitions are printed as JSON, which is read much faster as such. */
function objectsOf(text: string): readonly ChartObject[] {
  return text
    .split(/^---$/m)
    .map((part) => part.replace(/^# Source: .*$/gm, '').trim())
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('{') ? JSON.parse(part) : parse(part)) as ChartObject);
}

/** The only object of a kind, or of a kind and name. */
export function only(objects: readonly ChartObject[], kind: string, name?: string): ChartObject {
  const found = objects.filter(
    (one) => one.kind === kind && (name === undefined || one.metadata.name === name),
  );
  if (found.length === 1) return found[0]!;
  throw new Error(`${found.length} objects of kind ${kind} ${name ?? ''}`);
}
