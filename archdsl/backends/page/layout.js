// From places to positions. Each body is laid out by itself and put into its call's frame: folding one block lays out
// that block and those around it, and what is equal is laid out once.

const HEADER = 30, PADDING = 14, LINE = 17, DOT = 4;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';
const pen = document.createElement("canvas").getContext("2d");
const widths = new Map();

function textWidth(text, font) {
  const key = font + text;
  if (!widths.has(key)) {
    pen.font = font;
    widths.set(key, pen.measureText(text).width);
  }
  return widths.get(key);
}

const TITLE_FONT = `600 13px ${FONT}`, TEXT_FONT = `12px ${FONT}`;

/** Cut a text to a width, so that a hostile or careless name cannot make a box as wide as the page. */
function fitted(text, font, most = 300) {
  if (textWidth(text, font) <= most) return text;
  let low = 0, high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(`${text.slice(0, middle)}…`, font) <= most) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low)}…`;
}

/** Give a box its size, and its texts as shown. */
function measure(place) {
  if (place.isJoin) {
    const text = place.lines[0], isSign = text.length === 1;
    return { text, width: isSign ? 28 : textWidth(text, TEXT_FONT) + 24, height: 28 };
  }
  const title = fitted(place.name, TITLE_FONT), times = place.box.names.length;
  const badge = times > 1 ? `×${times}` : "";
  const lines = place.lines.map((line) => fitted(line, TEXT_FONT));
  const shape = shapeText(place.shape);
  const titleWidth = textWidth(title, TITLE_FONT) + (badge ? textWidth(badge, TITLE_FONT) + 18 : 0)
    + (place.isBlock ? 22 : 0);
  const widest = Math.max(titleWidth, ...lines.map((line) => textWidth(line, TEXT_FONT)), textWidth(shape, TEXT_FONT));
  return {
    title, badge, lines, shape, width: Math.max(104, Math.ceil(widest) + 30), height: HEADER + LINE * (lines.length + 1) + 10,
  };
}

let layouts = new Map();

/** Forget positions: texts have changed. */
function resetLayouts() {
  layouts = new Map();
}

/** Tell which blocks below are open: what a layout depends on. */
function foldKey(places) {
  return places.map((place, i) => (place.isOpen ? `${i}(${foldKey(place.inside)})` : "")).join(",");
}

/** Lay out a body. Gives its size, its items in order, its edges, and the dots where values come in and go out. */
function layoutBody(index, places, isTop) {
  const key = `${index}:${foldKey(places)}`;
  if (!layouts.has(key)) layouts.set(key, arrange(index, places, isTop));
  return bind(layouts.get(key), places);
}

/** Let an equal call's layout serve these places. */
function bind(layout, places) {
  const items = layout.items.map((item, i) => {
    const place = places[i];
    return item.place === place ? item : { ...item, place, inside: item.inside && bind(item.inside, place.inside) };
  });
  return { ...layout, items };
}

function arrange(index, places, isTop) {
  const body = data.bodies[index];
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  const margin = isTop ? 0 : PADDING;
  graph.setGraph({ rankdir: "TB", nodesep: 22, ranksep: 26, edgesep: 16, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  body.inputs.forEach((input, i) => graph.setNode(`i${i}`, { ...portSize(input, isTop), input }));
  const items = places.map((place, i) => {
    const item = place.isOpen ? frame(place) : { ...measure(place), place };
    graph.setNode(`b${i}`, { width: item.width, height: item.height });
    return item;
  });
  const outputs = uniqueOutputs(body);
  outputs.forEach((output, i) => graph.setNode(`o${i}`, { ...portSize(output, isTop), output }));
  const node = (at) => (at < 0 ? `i${-1 - at}` : `b${at}`);
  const wires = [];
  const wire = (source, target, port) => {
    const name = String(wires.length);
    graph.setEdge(node(source[0]), target, {}, name);
    const told = [argumentName(body, target, port), shapeText(sourceShape(index, source))].filter(Boolean).join(" ");
    wires.push({ from: node(source[0]), to: target, output: source[1], port, told, name });
  };
  body.boxes.forEach((box, i) => box.from.forEach((source, port) => wire(source, `b${i}`, port)));
  outputs.forEach((output, i) => wire(output.from, `o${i}`, 0));
  if (!isTop) {
    align(graph, body.inputs.map((_, i) => `i${i}`), (id, end) => graph.setEdge(end, id, { weight: PULL }));
    align(graph, outputs.map((_, i) => `o${i}`), (id, end) => graph.setEdge(id, end, { weight: PULL }));
  }
  dagre.layout(graph);
  const at = (id) => graph.node(id);
  items.forEach((item, i) => {
    const { x, y } = at(`b${i}`);
    item.x = x - item.width / 2;
    item.y = y - item.height / 2;
  });
  const size = graph.graph();
  const port = (id) => ({ id, ...at(id) });
  return {
    width: Math.max(size.width, 40), height: Math.max(size.height, 20), items, outputs,
    ports: [...body.inputs.map((_, i) => port(`i${i}`)), ...outputs.map((_, i) => port(`o${i}`))],
    wires: wires.map((found) => ({
      ...found, points: graph.edge({ v: found.from, w: found.to, name: found.name }).points.map(({ x, y }) => [x, y]),
    })),
  };
}

/** What a block calls a value that it takes beside what flows in. */
function argumentName(body, target, port) {
  const box = target[0] === "b" && port > 0 ? body.boxes[Number(target.slice(1))] : null;
  return box?.body !== undefined ? data.bodies[box.body].inputs[port].name : "";
}

const PULL = 50;

/** Pull the dots of a frame to its edge, where there are several, so that wires do not cross the boxes inside. */
function align(graph, dots, join) {
  if (dots.length < 2) return;
  const end = `end of ${dots[0]}`;
  graph.setNode(end, { width: 1, height: 1 });
  for (const dot of dots) join(dot, end);
}

/** A body lists its main output first; a call may also ask for it by its name. */
function uniqueOutputs(body) {
  return body.outputs.map((output, i) => ({ ...output, isMain: i === 0 }));
}

function portSize(port, isTop) {
  if (!isTop) return { width: 2 * DOT, height: 2 * DOT };
  return { width: Math.max(84, textWidth(portText(port), TEXT_FONT) + 28), height: 30 };
}

function portText(port) {
  if (port.shape) return `${port.name} ${shapeText(shapeOf(port.shape))}`;
  const shape = shapeText(sourceShape(network().body, port.from));
  return `${port.name || "output"} ${shape}${port.training ? ", in training" : ""}`;
}

/** An open block: its inside below a header. */
function frame(place) {
  const times = place.box.names.length, badge = times > 1 ? `×${times}` : "";
  const title = fitted(place.name, TITLE_FONT);
  const text = fitted(place.box.text || "", TEXT_FONT);
  const inside = layoutBody(place.box.body, place.inside, false);
  const header = 26 + textWidth(title, TITLE_FONT) + textWidth(badge, TITLE_FONT) + textWidth(text, TEXT_FONT) + 44;
  const width = Math.max(inside.width, header);
  return { place, title, badge, text, inside, shift: (width - inside.width) / 2, width, height: inside.height + HEADER };
}
