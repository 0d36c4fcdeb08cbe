// Patience (PABEE; Zhou et al., NeurIPS 2020): leave once that many heads in a row have repeated the class of the head before.
import type { Answers } from './answers.ts';
import type { Leaving } from './outcome.ts';

export function afterPatience({ exits }: Answers, patience: number): Leaving {
  return (row) => {
    let repeats = 0;
    for (let exit = 1; exit < exits.length; exit++) {
      const isSame = exits[exit]!.classes[row] === exits[exit - 1]!.classes[row];
      repeats = isSame ? repeats + 1 : 0;
      if (repeats >= patience) return exit;
    }
    return -1;
  };
}
