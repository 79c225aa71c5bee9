/** Minutes and seconds as a clock shows them: 75 000 ms is «1:15». */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
}

/** A span in words, in its two largest units: «1 minute 15 seconds». */
export function inWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  const parts: string[] = [];
  if (hours > 0) {
    parts.push(unit(hours, 'hour'));
  }
  if (minutes > 0) {
    parts.push(unit(minutes, 'minute'));
  }
  if (hours === 0 && (rest > 0 || minutes === 0)) {
    parts.push(unit(rest, 'second'));
  }
  return parts.join(' ');
}

/** A number with its noun: «1 image», «9 images». */
export function unit(amount: number, noun: string): string {
  return `${String(amount)} ${noun}${amount === 1 ? '' : 's'}`;
}
