// The process that decodes pictures: libvips reads hostile bytes here, and a crash of it costs no request but the picture's own.
import type { DecodeCall, DecodeMessage } from './image-decoder.ts';
import type { DecodeImage } from './decode-image.ts';
import { loadImageDecoder } from './decode-image.ts';

function tell(message: DecodeMessage): void {
  process.send?.(message);
}

process.on('disconnect', () => {
  process.exit(0);
});

let decode: DecodeImage | null = null;
try {
  decode = await loadImageDecoder();
} catch (error) {
  tell({ kind: 'unavailable', detail: error instanceof Error ? error.message : String(error) });
}
if (decode !== null) {
  const decodeImage = decode;
  process.on('message', ({ id, bytes, input, maxPixels }: DecodeCall) => {
    void decodeImage(bytes, input, maxPixels).then((image) => {
      tell({ kind: 'decoded', id, image, rssBytes: process.memoryUsage.rss() });
    });
  });
  tell({ kind: 'ready' });
}
