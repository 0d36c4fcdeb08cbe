// A worker outlives a run that was killed: it would go on with its test, and so would the cluster that the test started.
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGKILL');
});
