/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1: only with `-o wide`. */
  readonly priority?: 1;
}

function text(name: string, jsonPath: string, description: string): Column {
  return { name, type: 'string', jsonPath, description };
}

function wide(name: string, jsonPath: string, description: string): Column {
  return { ...text(name, jsonPath, description), priority: 1 };
}

function condition(type: string, field: 'status' | 'reason'): string {
  return `.status.conditions[?(@.type=="${type}")].${field}`;
}

const AGE: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was created.',
};

/**
 * Name comes first by itself. With a name of 31 characters and the longest reasons they take 140 columns, so what is told of
 * the candidate stands in the wide ones; that one is ramping, Exits says.
 */
export const SERVICE_COLUMNS: readonly Column[] = [
  text('Ready', condition('Ready', 'status'), 'Whether the endpoint answers.'),
  text('Reason', condition('Ready', 'reason'), 'Why it does or does not.'),
  {
    name: 'Pods',
    type: 'integer',
    jsonPath: '.status.readyReplicas',
    description: 'Pods that are ready.',
  },
  text('Exits', condition('ExitsActive', 'reason'), 'Whether requests may leave early.'),
  text('Heads', '.status.heads.stable.id', 'Heads in force.'),
  text('Exited', '.status.accuracy.exitedShare', 'Share of requests that leave early.'),
  text('Bound', '.status.accuracy.upperBound', 'Upper bound of the disagreement or F1 loss.'),
  AGE,
  wide('Candidate', '.status.heads.candidate.id', 'Heads under test.'),
  wide('Share', '.status.rollout.share', "Candidate's share of the traffic."),
  wide('Budget', '.spec.accuracy.maxDisagreement', 'Largest disagreement or F1 loss.'),
  wide('URL', '.status.url', 'Address inside the cluster.'),
];

export const HEAD_REVISION_COLUMNS: readonly Column[] = [
  text('Service', '.spec.serviceName', 'Service that the heads are for.'),
  text('Available', condition('Available', 'status'), 'Whether the bundle is there and sound.'),
  text('Certified', condition('Certified', 'status'), 'Whether a certificate is in force.'),
  text('Bound', '.status.certificate.upperBound', 'Upper bound of the disagreement or F1 loss.'),
  AGE,
];
