import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Prints the verdict line of the whole run, alone and last: "412 passed, 0 failed, 3 skipped".
 * Suites that did not load and unhandled errors count as failed. The line is printed from an exit hook,
 * because coverage prints after the reporters.
 */
class CountLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    for (const module of modules) {
      if (
        module.state() === 'failed' &&
        [...module.children.allTests()].every((t) => t.result().state !== 'failed')
      ) {
        failed += 1;
      }
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else skipped += 1;
      }
    }
    const line = `${String(passed)} passed, ${String(failed)} failed${skipped > 0 ? `, ${String(skipped)} skipped` : ''}`;
    process.once('exit', () => {
      process.stdout.write(`\n${line}\n`);
    });
  }
}

export default CountLine;
