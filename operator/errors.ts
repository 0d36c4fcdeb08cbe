/** Exit codes of operations.md 6. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130;

interface CatalogueEntry {
  readonly exitCode: ExitCode;
  /** What went wrong, as a sentence start; why and where follow. */
  readonly what: string;
  /** What to do next when the thrower knows nothing better. */
  readonly nextStep: string;
}

/** The closed catalogue of errors of the command line. A code keeps its meaning for ever. */
export const CLI_ERRORS = {
  UsageError: {
    exitCode: 2,
    what: 'The command line is not understood',
    nextStep: 'Run the command with --help for its flags and an example.',
  },
  ManifestUnreadable: {
    exitCode: 2,
    what: 'The manifest cannot be read',
    nextStep: 'Check the path after -f.',
  },
  InvalidSpec: {
    exitCode: 2,
    what: 'The manifest breaks the schema',
    nextStep: 'Fix the fields above; `layercache validate -f FILE` checks them again.',
  },
  BackboneFetchFailed: {
    exitCode: 2,
    what: 'The backbone cannot be read',
    nextStep:
      "Correct backbone.uri: file: and relative paths resolve against the manifest's folder.",
  },
  BackboneDigestMismatch: {
    exitCode: 2,
    what: 'The backbone is not the file that backbone.digest names',
    nextStep: 'Correct backbone.digest, or put the right file there.',
  },
  TensorNotFound: {
    exitCode: 2,
    what: 'An exit names a tensor that is no cut of the backbone',
    nextStep: 'Use a name that `layercache inspect MODEL` lists.',
  },
  CompanionLoadFailed: {
    exitCode: 2,
    what: 'A companion model cannot run before the backbone',
    nextStep: 'Correct exits[].model, or remove the exit.',
  },
  NoClassOutput: {
    exitCode: 2,
    what: 'A run compares classes, and the backbone does not say which output has them',
    nextStep:
      '`layercache inspect MODEL` lists its outputs; ways out: charts/layercache/docs/own-model.md.',
  },
  ModelDescriptionInvalid: {
    exitCode: 2,
    what: 'layercache.json beside the model cannot be used',
    nextStep: 'Correct the field, or remove the file when clients send ready tensors.',
  },
  TrafficUnreadable: {
    exitCode: 2,
    what: 'The traffic cannot be read',
    nextStep:
      'Check the path; sources are npy:FILE, idx:FILE[.gz], images:DIR, example:NAME and http.',
  },
  TrafficWrongType: {
    exitCode: 2,
    what: 'The traffic has an element type that is not read',
    nextStep:
      'Save it as uint8, float32 or float16, for example with numpy.ascontiguousarray(x, "float32").',
  },
  TrafficWrongShape: {
    exitCode: 2,
    what: 'The rows of the traffic do not fit the input of the backbone',
    nextStep:
      'Resize or transpose the rows, or name the layout in layercache.json beside the model.',
  },
  TooLittleTraffic: {
    exitCode: 2,
    what: 'The traffic is too short to train heads and certify them',
    nextStep: 'Bring more distinct rows, or train heads on other rows with --head-traffic.',
  },
  LabelsMismatch: {
    exitCode: 2,
    what: 'The labels do not belong to the traffic',
    nextStep: 'Give one integer label per row of --traffic, in the same order.',
  },
  StateUnusable: {
    exitCode: 2,
    what: 'The folder of --state cannot be continued',
    nextStep: 'Name an empty folder, or remove this one to start again.',
  },
  PortInUse: {
    exitCode: 1,
    what: 'The port is in use',
    nextStep: 'Stop the other process, or leave --port out for a free one.',
  },
  BackboneLoadFailed: {
    exitCode: 1,
    what: 'The backbone cannot be served',
    nextStep: 'Ways out: charts/layercache/docs/own-model.md.',
  },
  ServerFailed: {
    exitCode: 1,
    what: 'A model server ended',
    nextStep: 'Run again with --debug for more.',
  },
  ServerNotReady: {
    exitCode: 3,
    what: 'A model server did not become ready in time',
    nextStep: 'A large model may need a longer server.startupDeadline in the manifest.',
  },
  EngineInstallFailed: {
    exitCode: 1,
    what: 'The engine cannot be installed',
    nextStep: 'Run it again once that is corrected; nothing was changed.',
  },
  ProgramMissing: {
    exitCode: 1,
    what: 'The bundled programs are not there',
    nextStep: 'Run `npm run build`, which writes dist/bundle.',
  },
  ReportUnwritable: {
    exitCode: 1,
    what: 'The report cannot be written',
    nextStep: 'Name a writable folder with --report DIR.',
  },
  NotCertified: {
    exitCode: 4,
    what: 'No head revision was certified',
    nextStep:
      'Bring more distinct traffic, or raise accuracy.maxDisagreement; the report says what was missing.',
  },
  KubeconfigUnreadable: {
    exitCode: 2,
    what: 'The kubeconfig cannot be used',
    nextStep: 'Name a file with --kubeconfig or in KUBECONFIG.',
  },
  ContextNotFound: {
    exitCode: 2,
    what: 'The kubeconfig has no such context',
    nextStep: '`kubectl config get-contexts` lists them.',
  },
  ApiUnreachable: {
    exitCode: 1,
    what: 'The API server does not answer',
    nextStep: 'Check the network, and the address in the kubeconfig.',
  },
  ApiForbidden: {
    exitCode: 1,
    what: 'The API server does not allow this',
    nextStep: 'Ask an administrator for the right; `layercache doctor` lists all that are needed.',
  },
  ApiRefused: {
    exitCode: 1,
    what: 'The API server refused the call',
    nextStep: 'Correct what it says, or run the command again once it is gone.',
  },
  NotInstalled: {
    exitCode: 1,
    what: 'The cluster does not serve the kinds of layercache.io/v1alpha1',
    nextStep:
      'Install the chart, or apply crds.yaml; `layercache doctor` tells what else is missing.',
  },
  ServiceNotFound: {
    exitCode: 2,
    what: 'There is no such CachedModelService',
    nextStep: '`layercache top -A` lists those that there are.',
  },
  ReasonNotFound: {
    exitCode: 2,
    what: 'There is neither a service nor a reason of that name',
    nextStep: '`layercache top -A` lists services; reasons stand in conditions and events.',
  },
  NoCandidate: {
    exitCode: 4,
    what: 'There is no rollout in progress',
    nextStep: '`layercache explain NAME` tells whether one will come.',
  },
  RequestRefused: {
    exitCode: 4,
    what: 'The operator refused the request',
    nextStep: '`layercache explain NAME` tells what is missing.',
  },
  RequestUnanswered: {
    exitCode: 3,
    what: 'The operator has not answered the request in time',
    nextStep:
      'It stands in the annotation and is answered when the operator runs: `layercache doctor`.',
  },
  HeadsUnreadable: {
    exitCode: 2,
    what: 'The head bundle cannot be read',
    nextStep: 'Name a file that a trainer wrote, or a CacheHeadRevision.',
  },
  HeadsDigestMismatch: {
    exitCode: 2,
    what: 'The bundle is not the one that was asked for',
    nextStep: 'Bring the right file, or correct the digest.',
  },
  PlaceTaken: {
    exitCode: 1,
    what: 'Something else is there already',
    nextStep: 'Name another place, or remove it yourself: nothing is ever overwritten.',
  },
  StoreFailed: {
    exitCode: 1,
    what: 'The store does not give or take the bundle',
    nextStep: 'Run the command again once that is corrected.',
  },
  HeadsIncompatible: {
    exitCode: 2,
    what: 'The heads cannot be used for this service',
    nextStep: 'Bring heads that were trained on the backbone that it serves.',
  },
  FolderUnwritable: {
    exitCode: 1,
    what: 'The files cannot be written',
    nextStep: 'Name a folder that this user may write.',
  },
  EndpointUnusable: {
    exitCode: 1,
    what: 'The endpoint cannot be measured',
    nextStep: 'Check address and model; `curl URL/v2/models/NAME` shows what it serves.',
  },
  NotInCluster: {
    exitCode: 2,
    what: 'This command runs in a pod of a cluster',
    nextStep: 'Run `helm test RELEASE`, which starts that pod.',
  },
  SmokeFailed: {
    exitCode: 1,
    what: 'The test of the installation failed',
    nextStep: 'Read the log of the operator and the events of the namespace of the test.',
  },
  SmokeTimedOut: {
    exitCode: 3,
    what: 'The test of the installation did not come true in time',
    nextStep: 'Read the log of the operator, or give it longer with tests.timeout.',
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type CliErrorCode = keyof typeof CLI_ERRORS;

export interface CliErrorDetails {
  /** One clause: the value found and why it does not do. */
  readonly why: string;
  /** File with line, flag, or object. */
  readonly where?: string | undefined;
  /** Replaces the catalogue's next step. */
  readonly nextStep?: string | undefined;
  readonly cause?: unknown;
}

/** An error a person can act on: printed as one paragraph, never with a stack unless --debug asks for it. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  readonly exitCode: ExitCode;
  readonly where: string | null;
  readonly why: string;
  readonly nextStep: string;

  constructor(code: CliErrorCode, details: CliErrorDetails) {
    const entry = CLI_ERRORS[code];
    const where = details.where === undefined ? '' : ` (${details.where})`;
    const nextStep = details.nextStep ?? entry.nextStep;
    super(`${entry.what}${where}: ${details.why} ${nextStep} [${code}]`, { cause: details.cause });
    this.code = code;
    this.exitCode = entry.exitCode;
    this.where = details.where ?? null;
    this.why = details.why;
    this.nextStep = nextStep;
  }
}
