/** A time as Kubernetes writes it: seconds, UTC. */
export function toTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
