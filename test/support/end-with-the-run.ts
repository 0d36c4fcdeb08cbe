// A worker outlives a run that was killed: it would go on with its test, and so would the cluster that the test started.
// Where files share a worker, each of them loads this anew.
const isHeard = process
  .listeners('disconnect')
  .some((listener) => listener.name === endWithTheRun.name);
if (!isHeard) process.once('disconnect', endWithTheRun);

function endWithTheRun(): void {
  process.kill(process.pid, 'SIGKILL');
}
