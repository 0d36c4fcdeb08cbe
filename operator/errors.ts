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
  NoClassOutput: {
    exitCode: 2,
    what: 'A run compares classes, and the backbone does not say which output has them',
    nextStep: '`layercache inspect MODEL` lists its outputs.',
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
    nextStep: 'Check the model with `layercache inspect MODEL`.',
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
