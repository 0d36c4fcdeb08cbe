// The chart on a real API server, by both Helms.
import { expect } from 'vitest';
import type { ControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import type { HelmMajor } from '../harness/client-tools.ts';
import type { CommandResult } from '../harness/run-command.ts';

export const DEFINITIONS = [
  'cachedmodelservices.layercache.io',
  'cacheheadrevisions.layercache.io',
];

export interface HelmCall {
  readonly major: HelmMajor;
  readonly args: readonly string[];
  readonly values?: object;
  readonly namespace: string;
  readonly deadlineMs?: number;
}

/** Values go in by standard input; a non-zero exit is a value. */
export function callHelm(plane: ControlPlane, call: HelmCall): Promise<CommandResult> {
  const { major, args, values, namespace, deadlineMs = 120_000 } = call;
  const more = values === undefined ? [] : ['--values', '-'];
  const input = JSON.stringify(values ?? {});
  return plane.helm([...args, '--namespace', namespace, ...more], { major, input, deadlineMs });
}

/** As `callHelm`, where a failure is the test's; returns standard output. */
export async function expectHelm(plane: ControlPlane, call: HelmCall): Promise<string> {
  const { code, stdout, stderr } = await callHelm(plane, call);
  expect(code, `helm ${call.args.join(' ')}: ${stderr}${stdout}`).toBe(0);
  return stdout;
}

export interface Definition {
  readonly metadata: {
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly names: { readonly shortNames?: readonly string[] } };
}

const DEFINITION_GONE_MS = 60_000;
const STALLED_MS = 5_000;

/**
 * Waits until a definition that is being deleted is gone. The API server lists its objects first, which fails where the cache for them is
 * not filled yet, as after each change of the definition ("storage is (re)initializing"). Of 65 deletions right after a change two were
 * then left alone, for minutes, though the cache had long been filled; any change of the definition has it looked at again, and gone.
 */
export async function definitionGone(plane: ControlPlane, name: string): Promise<void> {
  let lookedMs = performance.now();
  await eventually(async () => {
    const definition = await definitionOf(plane, name);
    if (definition !== null && performance.now() - lookedMs > STALLED_MS) {
      lookedMs = performance.now();
      await plane.kubectl(['annotate', 'crd', name, `looked-at=${lookedMs}`, '--overwrite']);
    }
    expect(definition).toBeNull();
  }, DEFINITION_GONE_MS);
}

/** Null: there is none. */
export async function definitionOf(plane: ControlPlane, name: string): Promise<Definition | null> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
  const { status, body } = await plane.request({ path });
  if (status === 404) return null;
  expect(status, JSON.stringify(body)).toBe(200);
  return body as Definition;
}
