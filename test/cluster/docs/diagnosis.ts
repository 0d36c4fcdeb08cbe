// Commands in the running text of runbooks and of pages of reasons, which a person copies at three in the morning.
import { expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
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
    for (const command of commandsOf(path)) found.set(command, path);
  }
  const commands = [...found].map(([command, path]) => ({ path, command }));
  expect(commands.length).toBeGreaterThan(20);
  const isChange = ({ command }: DiagnosisCommand): boolean => CHANGES.test(command);
  return [...commands.filter((one) => !isChange(one)), ...commands.filter(isChange)];
}

const commandsOf = (path: string): readonly string[] =>
  inlineOf(path).filter((word) => /^kubectl\b/.test(word) && !NAMES.includes(word));

/** What the runbook of an alert has a person run, in its order: to find the cause, then to change something. */
export function runbookCommands(alert: string): {
  readonly looks: readonly string[];
  readonly changes: readonly string[];
} {
  const commands = commandsOf(`charts/layercache/runbooks/${alert}.md`);
  return {
    looks: commands.filter((command) => !CHANGES.test(command)),
    changes: commands.filter((command) => CHANGES.test(command)),
  };
}

/** What a page sends a person for, by words of the command: the first that fits. A list may be empty in a young service. */
const READINGS: readonly (readonly [words: string, said: RegExp])[] = [
  [' describe cachedmodelservice ', /Conditions:[^]*Type: +ExitsActive[^]*Events:/],
  ['layercache explain', /\bCollectingSamples\b/],
  // A holder and when it renewed.
  [' get lease ', /^\S+ +\S*layercache-operator\S+ +\d{4}-\d\d-\d\dT[\d:.]+Z$/m],
  [' describe pod ', /State: +Running[^]*Events:/],
  [' describe deployment ', /Replicas: +\d+ desired[^]*Conditions:/],
  [' logs job/', /The store answers 403\./],
  [' logs ', /^\{.*"level":.*\}$/m],
  // Its last column but two is why it ended.
  ['job-name=', /^\S+ +0\/1 +(Completed|Error|OOMKilled|Evicted)/m],
  ['={..imageID}', /sha256:/],
  [' get pods ', /^\S+ +\d\/\d +Running/m],
  ['={.status.conditions}', /"type":"Ready"/],
  ['={.metadata.annotations}', /layercache\.io/],
  ['auth can-i --list', /cachedmodelservices\.layercache\.io/],
];

/** A command that finds nothing ends well, too: what it printed must be what its page sends a person for. */
export function expectReading(command: string, stdout: string): void {
  const found = READINGS.find(([words]) => command.includes(words));
  if (found !== undefined) expect(stdout, command).toMatch(found[1]);
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
  }, NODE_WAIT_MS);
}

/** Puts names of this installation in the place of those that a reader fills in; a pod that is not there leaves its command as it is. */
export async function placeholdersOf(
  node: RealNode,
  service = 'fashion',
): Promise<(command: string) => string> {
  const podOf = async (namespace: string, selector: string): Promise<string> => {
    const { stdout } = await node.kubectl([
      ...['-n', namespace, 'get', 'pods', '-l', selector],
      ...['-o', 'jsonpath={.items[0].metadata.name}'],
    ]);
    return stdout === '' ? 'POD' : stdout;
  };
  const server = await podOf('ml', `layercache.io/service=${service}`);
  const operator = await podOf('layercache-system', 'app.kubernetes.io/name=layercache-operator');
  return (command) =>
    command
      .replaceAll(/\bPOD\b/g, command.includes('-n OPERATOR_NAMESPACE') ? operator : server)
      .replaceAll('OPERATOR_NAMESPACE', 'layercache-system')
      .replaceAll(/\bOPERATOR\b/g, 'layercache-operator')
      .replaceAll('NAMESPACE', 'ml')
      .replaceAll('NAME-train-N', `${service}-train-1`)
      .replaceAll('NAME', service);
}
