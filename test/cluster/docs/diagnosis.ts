// Commands in the running text of runbooks and of pages of reasons, which a person copies at three in the morning.
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { RealNode } from '../../support/real-node.ts';
import { documents, inlineOf } from '../../unit/docs/documents.ts';

interface DiagnosisCommand {
  readonly path: string;
  readonly command: string;
}

/** Parts of sentences, not commands. */
const NAMES = [
  'kubectl',
  'kubectl describe pod',
  'kubectl logs -p',
  'kubectl scale',
  'kubectl wait',
];
const CHANGES = / (patch|delete) /;

/** Each command once, those that change something last. */
export function diagnosisCommands(): readonly DiagnosisCommand[] {
  const paths = documents().filter((path) => /^charts\/layercache\/(runbooks|docs)\//.test(path));
  const found = new Map<string, string>();
  for (const path of paths) {
    for (const word of inlineOf(path)) {
      if (/^kubectl\b/.test(word) && !NAMES.includes(word)) found.set(word, path);
    }
  }
  const commands = [...found].map(([command, path]) => ({ path, command }));
  expect(commands.length).toBeGreaterThan(20);
  const isChange = ({ command }: DiagnosisCommand): boolean => CHANGES.test(command);
  return [...commands.filter((one) => !isChange(one)), ...commands.filter(isChange)];
}

/** What service `fashion` in namespace `ml` lacks of what they look at: an autoscaler, a training that has ended. */
export async function prepareForDiagnosis(node: RealNode): Promise<void> {
  const patch = { spec: { autoscaling: { maxReplicas: 2 } } };
  await node.kubectl([
    ...['-n', 'ml', 'patch', 'cachedmodelservice', 'fashion', '--type', 'merge'],
    ...['-p', JSON.stringify(patch)],
  ]);
  const container = { name: 'trainer', image: node.nodeImage, imagePullPolicy: 'Never' };
  const labels = { 'layercache.io/service': 'other' };
  await node.kubectl(['apply', '-n', 'ml', '-f', '-'], {
    input: JSON.stringify({
      ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'fashion-train-1', labels } },
      spec: {
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [{ ...container, args: ['-e', 'console.log("The store answers 403.")'] }],
          },
        },
      },
    }),
  });
  await eventually(async () => {
    const { code } = await node.kubectl(['-n', 'ml', 'logs', 'job/fashion-train-1']);
    const scaler = await node.kubectl(['-n', 'ml', 'get', 'hpa', 'fashion']);
    expect([code, scaler.code]).toEqual([0, 0]);
  }, 60_000);
}

/** Puts names of this installation in the place of those that a reader fills in. */
export async function placeholdersOf(node: RealNode): Promise<(command: string) => string> {
  const podOf = async (namespace: string, selector: string): Promise<string> => {
    const { stdout } = await node.kubectl([
      ...['-n', namespace, 'get', 'pods', '-l', selector],
      ...['-o', 'jsonpath={.items[0].metadata.name}'],
    ]);
    return stdout;
  };
  const server = await podOf('ml', 'layercache.io/service=fashion');
  const operator = await podOf('layercache-system', 'app.kubernetes.io/name=layercache-operator');
  return (command) =>
    command
      .replaceAll(/\bPOD\b/g, command.includes('-n OPERATOR_NAMESPACE') ? operator : server)
      .replaceAll('OPERATOR_NAMESPACE', 'layercache-system')
      .replaceAll(/\bOPERATOR\b/g, 'layercache-operator')
      .replaceAll('NAMESPACE', 'ml')
      .replaceAll('NAME-train-N', 'fashion-train-1')
      .replaceAll('NAME', 'fashion');
}
