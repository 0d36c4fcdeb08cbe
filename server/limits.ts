// Bounds on what clients can make this process hold or wait for. Those that change with the traffic travel in the policy
// (`limits` there); these are set once, with LAYERCACHE_* variables. server/README.md lists all, and a test compares.

/** What one request may ask for. */
export interface RequestLimits {
  /** Levels of arrays and objects in a JSON body. */
  readonly maxJsonDepth: number;
  /** Elements of the input tensor. */
  readonly maxTensorElements: number;
  /** A compressed body may become this many times the body limit. */
  readonly maxDecompressionRatio: number;
  /** Width x height of one image, as its header says. */
  readonly maxImagePixels: number;
  /** Bytes that all requests together hold, from the first of a body to its answer. */
  readonly maxHeldBytes: number;
}

/** What one connection may do, of every port. */
export interface ConnectionLimits {
  readonly maxHeaderBytes: number;
  readonly headersTimeoutMs: number;
  /** A whole request, headers and body, whatever its deadline. */
  readonly receiveTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A client that takes none of its answer for so long is cut off. */
  readonly writeTimeoutMs: number;
  readonly maxConnections: number;
}

export const STANDARD_CONNECTION_LIMITS: ConnectionLimits = {
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  receiveTimeoutMs: 120_000,
  keepAliveTimeoutMs: 75_000,
  writeTimeoutMs: 60_000,
  maxConnections: 1_024,
};

/** Longest deadline that a client may ask for. */
export const MAX_TIMEOUT_SECONDS = 3_600;

/** Members and elements of a JSON body that are read, but for the numbers of tensors: rows of a request are far fewer. */
export const MAX_JSON_VALUES = 131_072;

/** Longest `id` of a request. */
export const MAX_ID_LENGTH = 128;
