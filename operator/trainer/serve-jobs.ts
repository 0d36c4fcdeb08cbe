import type { MessagePort } from 'node:worker_threads';
import { errorText } from '../../server/core/system-error.ts';
import { createJobRunner, type HeadJob } from '../training/head-job.ts';
import { createStudentRunner, type StudentJob } from '../training/student/student-job.ts';
import type { WorkerAnswer } from './job-pool.ts';
import { createOnnxTrainer } from './onnx-step.ts';
import { createOnnxStudentTrainer, runOnnxStudent } from './onnx-student.ts';

/** The worker's side of a job pool: trains what arrives, one at a time. */
export function serveJobs(port: MessagePort): void {
  const run = createJobRunner(createOnnxTrainer);
  const runStudent = createStudentRunner(createOnnxStudentTrainer, runOnnxStudent);
  const answer = async (job: HeadJob | StudentJob): Promise<WorkerAnswer> => {
    try {
      return { ok: true, trained: 'kind' in job ? await runStudent(job) : await run(job) };
    } catch (error) {
      return { ok: false, message: errorText(error) };
    }
  };
  port.on('message', (job: HeadJob | StudentJob) => {
    void answer(job).then((result) => {
      port.postMessage(result);
    });
  });
}
