import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Short to read and long to run: by their size they would start last, and a worker would wait for them with nothing left to do. */
const SLOW = ['http/reload/swaps', 'http/docs/own-model', 'cluster/unprivileged'].map(
  (file) => `/test/${file}.test.ts`,
);

/** Without figures of an earlier run vitest starts the largest files first; these before them. */
export default class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification): boolean =>
      SLOW.some((slow) => moduleId.endsWith(slow));
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}
