import type { ServerState } from '../../../crds/wire/state.ts';
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
    '# file: is for `layercache local run`. For a cluster put the model where pods can fetch it, and name it by https:, s3:, oci: or pvc:.',
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
  if (outputName !== null && outputs.length === 1) return [];
  if (outputName !== null) return [`    outputName: ${quoted(outputName)}`];
  const names = outputs.map(({ name }) => name).join(', ');
  return [
    `    # ${outputProblem?.message ?? 'The class output is not known.'}`,
    `    # Outputs: ${names}. Name the one with the class scores, or exits stay off:`,
    '    # outputName: NAME',
  ];
}

function exitLines({ cuts, rejectedCuts }: ManifestFacts['state']): string[] {
  const exits = discoverExits(cuts);
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
  const reasons = rejectedCuts
    .slice(0, MOST_REASONS)
    .map(({ tensor, reason }) => `  #   ${tensor}: ${reason}`);
  return [
    '  # The model has no tensor where it can be cut, so it is served as it is:',
    ...reasons,
    '  # A companion, a small model of the same classes, can answer first: exits: [{name: small, model: {uri: ...}}].',
    '  exits: []',
  ];
}

const MOST_REASONS = 5;

/** YAML takes a JSON string for what it is, whatever stands in it. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
