// A table of any length: only the rows that can be seen are in the document.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Column<Row> {
  key: string;
  head: string;
  /// Of `grid-template-columns`.
  width: string;
  cell: (row: Row) => ComponentChildren;
}

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  onOpen?: (row: Row) => void;
  onEnd?: () => void;
  /// With these, rows can be selected.
  selected?: ReadonlySet<string>;
  onSelect?: (row: Row) => void;
}

const wideRow = 34;
const smallRow = 104;
const spare = 8;
const small = matchMedia("(max-width: 720px)");

function useRowHeight(): number {
  const [height, setHeight] = useState(small.matches ? smallRow : wideRow);
  useEffect(() => {
    const watcher = () => setHeight(small.matches ? smallRow : wideRow);
    small.addEventListener("change", watcher);
    return () => small.removeEventListener("change", watcher);
  }, []);
  return height;
}

export function Table<Row>(props: Props<Row>) {
  const { rows, columns, keyOf, onEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  const [view, setView] = useState({ top: 0, height: 600 });
  const [active, setActive] = useState("");

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);

  const first = Math.max(0, Math.floor(view.top / height) - spare);
  const end = Math.min(rows.length, Math.ceil((view.top + view.height) / height) + spare);
  useEffect(() => {
    if (end >= rows.length - spare * 4) onEnd?.();
  }, [end, rows.length, onEnd]);

  const activeAt = rows.findIndex((row) => keyOf(row) === active);
  const move = (to: number) => {
    const at = Math.min(rows.length - 1, Math.max(0, to));
    const row = rows[at];
    const element = scroller.current;
    if (!row || !element) return;
    setActive(keyOf(row));
    if (at * height < element.scrollTop) element.scrollTop = at * height;
    const below = (at + 1) * height - element.clientHeight;
    if (below > element.scrollTop) element.scrollTop = below;
  };
  const page = Math.max(1, Math.floor(view.height / height) - 1);
  const keys: Record<string, () => void> = {
    ArrowDown: () => move(activeAt + 1),
    ArrowUp: () => move(activeAt - 1),
    PageDown: () => move(activeAt + page),
    PageUp: () => move(activeAt - page),
    Home: () => move(0),
    End: () => move(rows.length - 1),
  };
  const activeRow = rows[activeAt];
  if (activeRow && props.onOpen) keys["Enter"] = () => props.onOpen?.(activeRow);
  if (activeRow && props.onSelect) keys[" "] = () => props.onSelect?.(activeRow);
  const onKeyDown = (event: KeyboardEvent) => {
    const action = event.target === scroller.current ? keys[event.key] : undefined;
    if (!action) return;
    event.preventDefault();
    action();
  };

  const template = columns.map((column) => column.width).join(" ");
  return (
    <div class="table" role="grid" aria-label={props.label} aria-rowcount={rows.length + 1}
         aria-colcount={columns.length} tabIndex={0} ref={scroller} onKeyDown={onKeyDown}
         {...(activeRow ? { "aria-activedescendant": idOf(active) } : {})}>
      <div role="rowgroup" class="table-head">
        <div role="row" aria-rowindex={1} class="table-row"
             style={{ gridTemplateColumns: template }}>
          {columns.map((column) => (
            <div role="columnheader" key={column.key}>{column.head}</div>))}
        </div>
      </div>
      <div role="rowgroup" class="table-body" style={{ height: `${rows.length * height}px` }}>
        {rows.slice(first, end).map((row, i) => {
          const key = keyOf(row);
          return (
            <div role="row" key={key} id={idOf(key)} aria-rowindex={first + i + 2}
                 aria-selected={props.selected?.has(key) ?? false}
                 class={`table-row${key === active ? " active" : ""}${
                   props.onOpen ? " opens" : ""}`}
                 style={{ gridTemplateColumns: template, height: `${height}px`,
                          transform: `translateY(${(first + i) * height}px)` }}
                 onClick={(event) => {
                   setActive(key);
                   const own = event.target instanceof Element &&
                     event.target.closest("a, button, input");
                   if (!own) props.onOpen?.(row);
                 }}>
              {columns.map((column) => (
                <div role="gridcell" key={column.key} class={`cell cell-${column.key}`}
                     data-head={column.head}>
                  {column.cell(row)}
                </div>))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function idOf(key: string): string {
  return `row-${encodeURIComponent(key)}`;
}
