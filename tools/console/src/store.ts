import { useEffect, useState } from "preact/hooks";

/// A value that components watch.
export class Store<T> {
  private readonly watchers = new Set<() => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(value: T): void {
    if (value === this.value) return;
    this.value = value;
    for (const watcher of [...this.watchers]) watcher();
  }

  use(): T {
    const [, render] = useState(0);
    useEffect(() => {
      const watcher = () => render((count) => count + 1);
      this.watchers.add(watcher);
      return () => {
        this.watchers.delete(watcher);
      };
    }, [this]);
    return this.value;
  }
}
