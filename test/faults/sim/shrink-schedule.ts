import { smallerSchedules, type Schedule } from './schedule.ts';

/** Runs of a schedule that a failure is worth. */
const MOST_RUNS = 60;

/** The smallest schedule found that still fails: the first smaller one that does takes its place, until none does. */
export async function shrinkSchedule(
  schedule: Schedule,
  fails: (smaller: Schedule) => Promise<boolean>,
): Promise<Schedule> {
  let smallest = schedule;
  let runs = 0;
  const findSmaller = async (): Promise<Schedule | null> => {
    for (const smaller of smallerSchedules(smallest)) {
      if (runs >= MOST_RUNS) return null;
      runs += 1;
      if (await fails(smaller)) return smaller;
    }
    return null;
  };
  for (let next = await findSmaller(); next !== null; next = await findSmaller()) smallest = next;
  return smallest;
}
