import type { ServerState } from '../../../crds/wire/state.ts';
import { whyUncut } from '../../local/why-uncut.ts';
import { discoverExits } from '../../plan/discover-exits.ts';

export interface ManifestFacts {
  readonly name: string;
  readonly uri: string;
  readonly maxDisagreement: string;
  readonly state: Pick<ServerState, 'backbone' | 'cuts' | 'rejectedCuts'>;
}

/** A manifest to start from: what the model is stands in comments, and exits are proposed where it can be cut. */
export function manifestText({ name, uri, maxDisagreement, state }: ManifestFacts): string {
  const { backbone } = state;
  return [
    '# file: is for `layercache local run`; a relative path starts at the folder of this manifest. For a cluster put the model where pods can fetch it, and name it by https:, s3:, oci: or pvc:.',
    'apiVersion: layercache.io/v1alpha1',
    'kind: CachedModelService',
    'metadata:',
    `  name: ${name}`,
    'spec:',
    '  backbone:',
    `    uri: ${quoted(uri)}`,
    `    digest: ${backbone.digest}`,
    ...outputLines(backbone),
    '  accuracy:',
    '    # Largest share of all requests that may be answered unlike the backbone.',
    `    maxDisagreement: ${maxDisagreement}`,
    ...exitLines(state),
    '',
  ].join('\n');
}

function outputLines({
  outputName,
  outputProblem,
  outputs,
}: ManifestFacts['state']['backbone']): string[] {
  if (outputName !== null)
    return outputs.length === 1 ? [] : [`    outputName: ${quoted(outputName)}`];
  if (outputProblem?.code !== 'OutputAmbiguous') return [];
  const names = outputs.map(({ name }) => name).join(', ');
  return [
    `    # The model has outputs ${names}. Name the one with the class scores, or exits stay off:`,
    '    # outputName: NAME',
  ];
}

function exitLines(state: ManifestFacts['state']): string[] {
  const exits = discoverExits(state.cuts);
  if (exits.length > 0) {
    return [
      '  # Candidates, from cheap to dear; training keeps the ones that pay. Without this list the operator chooses the same.',
      '  exits:',
      ...exits.flatMap(({ name, tensor, msShare }) => [
        `    - name: ${name}`,
        `      tensor: ${quoted(tensor ?? '')} # after ${(100 * msShare).toFixed(0)}% of the time`,
      ]),
    ];
  }
  return [...(whyUncut(state) ?? '').split(/(?<=\.) /).map((part) => `  # ${part}`), '  exits: []'];
}

/** YAML takes a JSON string for what it is, whatever stands in it. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
