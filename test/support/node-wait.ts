/**
 * How long a test waits for what kubelets, pods and controllers of a real node do before it says what was still wrong. Nothing is
 * promised within it: a dozen pods may start at once on two processors. What is promised in seconds has its own figure.
 */
export const NODE_WAIT_MS = 240_000;
