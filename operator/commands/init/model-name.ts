/** A name for a service after its model's file: at most 40 of a-z, 0-9 and '-', a letter first. */
export function modelNameOf(path: string): string {
  const file = path.split(/[\\/]/).findLast((part) => part !== '' && part !== 'model.json') ?? '';
  const name = file
    .replace(/\.(onnx|json|pb)$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return name === '' ? 'model' : name;
}
