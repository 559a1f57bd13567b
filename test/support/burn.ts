/** Takes a whole processor, in short pieces, so that everybody else is late now and then. Prints one line. */
console.log(process.pid);
process.on('disconnect', () => process.exit(0));
function burn(): void {
  const endMs = performance.now() + 50;
  while (performance.now() < endMs);
  setImmediate(burn);
}
burn();
