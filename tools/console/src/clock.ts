// The server's time. Ages are the server's times up to this one, so that a browser with a wrong
// clock shows them as they are.

/// Learns the server's time from the header `Date` of its answers, which has whole seconds. All
/// times of the browser are those of `performance.now()`, which nobody sets.
export class ServerClock {
  // The server's time minus the browser's lies between these.
  private least = -Infinity;
  private most = Infinity;

  /// `offset`: what to add to the browser's time as long as nothing is known.
  constructor(private offset: number) {}

  /// `begin` and `end`: when the request was sent, and when its answer was there.
  learn(date: string | null, begin: number, end: number): void {
    const second = date === null ? NaN : Date.parse(date);
    if (Number.isNaN(second)) return;
    const [least, most] = [second - end, second + 1000 - begin];
    // What was learnt does not fit any more if the server's clock was set, or the machine slept.
    const fits = least <= this.most && most >= this.least;
    this.least = fits ? Math.max(least, this.least) : least;
    this.most = fits ? Math.min(most, this.most) : most;
    this.offset = (this.least + this.most) / 2;
  }

  /// Whole milliseconds since 1970.
  at(now: number): number {
    return Math.round(now + this.offset);
  }
}

export const serverClock = new ServerClock(Date.now() - performance.now());

/// The server's time, in milliseconds since 1970; the browser's until the first answer.
export function serverNow(): number {
  return serverClock.at(performance.now());
}
