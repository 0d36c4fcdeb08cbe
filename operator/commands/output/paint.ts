export type Colour = 'green' | 'yellow' | 'red' | 'bold' | 'dim';

/** Colours a text, or leaves it as it is. */
export type Paint = (text: string, colour: Colour) => string;

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  green: [32, 39],
  yellow: [33, 39],
  red: [31, 39],
  bold: [1, 22],
  dim: [2, 22],
};

/** Colours add to what words say: nothing is told by colour alone. */
export function createPaint(isColourful: boolean): Paint {
  if (!isColourful) return (text) => text;
  return (text, colour) => {
    const [on, off] = CODES[colour];
    return text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

/** True is what one hopes for. */
export function paintStatus(paint: Paint, status: string): string {
  return paint(status, status === 'True' ? 'green' : status === 'False' ? 'red' : 'yellow');
}
