import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { timeOfDay } from "../format";
import { theme } from "../settings";

export interface Series {
  label: string;
  /// A variable of the style sheet.
  colour: string;
  values: readonly (number | null)[];
}

interface Props {
  label: string;
  /// Seconds since 1970.
  times: readonly number[];
  series: readonly Series[];
  show: (value: number) => string;
}

const height = 170;
const firstSpanS = 30;
const dark = matchMedia("(prefers-color-scheme: dark)");

/// A canvas does not know the style sheet's variables.
function colourOf(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  const found = getComputedStyle(element).color;
  element.style.color = "";
  return found;
}

function options(props: Props, element: HTMLElement): uPlot.Options {
  const colour = (name: string) => colourOf(element, name);
  const axis = {
    stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false }, font: "12px system-ui, sans-serif",
  };
  return {
    width: element.clientWidth, height, legend: { show: false },
    cursor: { show: false }, select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    // One sample has no span of its own, and would get a day.
    scales: { x: { range: (plot, min, max) =>
      plot.data[0].length > 1 ? [min, max] : [min - firstSpanS, min] },
              y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [{ ...axis, space: 90, values: (_, ticks) => ticks.map(timeOfDay) },
           { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => props.show(tick)) }],
    series: [{}, ...props.series.map((each) => ({
      stroke: colour(each.colour), width: 2, points: { show: false }, spanGaps: false }))],
  };
}

function dataOf(props: Props): uPlot.AlignedData {
  return [[...props.times], ...props.series.map((each) => [...each.values])];
}

/// A line for each series. Its latest values are in the name that a screen reader speaks.
export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const chosen = theme.use();
  const names = props.series.map((each) => each.label).join("|");

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(props, element), dataOf(props), element);
    };
    draw();
    const observer = new ResizeObserver(
      () => plot.current?.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    dark.addEventListener("change", draw);
    return () => {
      observer.disconnect();
      dark.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [chosen, names]);

  useEffect(() => plot.current?.setData(dataOf(props)), [props.times, props.series]);

  const latest = props.series.map((each) => {
    const value = each.values[each.values.length - 1];
    return { ...each, text: value == null ? "–" : props.show(value) };
  });
  return (
    <figure class="chart">
      <figcaption>
        <strong>{props.label}</strong>
        {latest.map((each) => (
          <span key={each.label} class="key">
            <span class="dot" style={{ background: `var(${each.colour})` }} />
            {each.label} <b>{each.text}</b>
          </span>))}
      </figcaption>
      <div ref={place} role="img"
           aria-label={`${props.label}: ${
             latest.map((each) => `${each.label} ${each.text}`).join(", ")}`} />
    </figure>
  );
}
