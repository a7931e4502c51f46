// The drawing: boxes, frames and wires in SVG, and the view on them.

const SVG = "http://www.w3.org/2000/svg";
const canvas = document.getElementById("canvas");
const viewport = document.getElementById("viewport");
const layers = { frames: document.getElementById("frames"), wires: document.getElementById("wires"), boxes: document.getElementById("boxes") };
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const MANY = 300; // more boxes than that are not animated

/** What is drawn: elements by path, their rectangles, and the flow from id to id that lighting follows. */
let drawn = { width: 0, height: 0, items: new Map(), flow: [], boxes: 0 };

/** Make an SVG element. Text goes in as text, never as markup. */
function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function text(content, x, y, kind, anchor) {
  const element = svg("text", { x, y, class: kind, "text-anchor": anchor });
  element.textContent = content;
  return element;
}

/** Draw everything anew, moving what was there before to its new place. */
function draw() {
  const before = new Map([...drawn.items].map(([path, item]) => [path, item]));
  const focused = document.activeElement?.dataset?.path;
  drawn = { width: 0, height: 0, items: new Map(), flow: [], boxes: 0 };
  for (const layer of Object.values(layers)) layer.replaceChildren();
  const root = layoutBody(network().body, topPlaces, true);
  drawn.width = root.width;
  drawn.height = root.height;
  drawBody(root, 0, 0, "");
  colour();
  mark();
  if (!STILL.matches && drawn.boxes < MANY) moveFrom(before);
  if (focused !== undefined) drawn.items.get(focused)?.focus.focus({ preventScroll: true });
}

function moveFrom(before) {
  for (const [path, item] of drawn.items) {
    const old = before.get(path);
    if (!old) {
      if (before.size) item.element.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 220 });
    } else if (old.x !== item.x || old.y !== item.y) {
      const shift = `translate(${old.x - item.x}px, ${old.y - item.y}px)`;
      item.element.animate([{ transform: shift }, { transform: "none" }], { duration: 220, easing: "ease-out" });
    }
  }
  if (before.size) layers.wires.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 260 });
}

/** Draw a body at a place. `path` is that of its call; ids of dots begin with it. */
function drawBody(layout, x, y, path) {
  layout.items.forEach((item) => {
    const at = { ...item, x: x + item.x, y: y + item.y };
    if (item.inside) drawFrame(at);
    else drawBox(at);
  });
  for (const port of layout.ports) drawPort(port, x, y, path);
  for (const wire of layout.wires) drawWire(wire, layout, x, y, path);
}

/** Give the ids that lighting follows: a box's path, or an open frame's dot. */
function sourceId(layout, wire, path) {
  const at = Number(wire.from.slice(1));
  if (wire.from[0] === "i") return `${path}#${wire.from}`;
  const item = layout.items[at];
  if (!item.inside) return item.place.path;
  const named = item.inside.outputs.findIndex((output) => output.name === wire.output);
  return `${item.place.path}#o${Math.max(named, 0)}`;
}

function targetId(layout, wire, path) {
  if (wire.to[0] === "o") return `${path}#${wire.to}`;
  const item = layout.items[Number(wire.to.slice(1))];
  return item.inside ? `${item.place.path}#i${wire.port}` : item.place.path;
}

/** Find where the dot of an open frame stands in the body around it. */
function dotOf(item, id) {
  const dot = item.inside.ports.find((port) => port.id === id);
  return [item.x + item.shift + dot.x, item.y + HEADER + dot.y];
}

function drawWire(wire, layout, x, y, path) {
  const from = sourceId(layout, wire, path), to = targetId(layout, wire, path);
  let points = wire.points;
  const source = wire.from[0] === "b" ? layout.items[Number(wire.from.slice(1))] : null;
  const target = wire.to[0] === "b" ? layout.items[Number(wire.to.slice(1))] : null;
  if (source && !source.inside) points = [attach(source, points[1], source.y + source.height), ...points.slice(1)];
  if (target && !target.inside) points = [...points.slice(0, -1), attach(target, points[points.length - 2], target.y)];
  if (source?.inside) {
    const dot = dotOf(source, from.slice(from.lastIndexOf("#") + 1));
    points = [dot, [dot[0], source.y + source.height], ...points.slice(1)];
  }
  if (target?.inside) {
    const dot = dotOf(target, to.slice(to.lastIndexOf("#") + 1));
    points = [...points.slice(0, -1), [dot[0], target.y], dot];
  }
  const element = svg("path", { d: curve(points.map(([px, py]) => [px + x, py + y])), class: "wire" });
  if (wire.to[0] === "b" && !target.inside) element.setAttribute("marker-end", "url(#arrow)");
  const title = svg("title");
  title.textContent = wire.told;
  element.append(title);
  layers.wires.append(element);
  drawn.flow.push({ from, to, element });
}

/** Give the point of a box's lower or upper edge where a line from or to another point meets it. */
function attach(item, [x], y) {
  const middle = item.x + item.width / 2, reach = Math.max(item.width / 2 - 14, 0) / 2;
  return [Math.min(middle + reach, Math.max(middle - reach, x)), y];
}

/** Round a line through points. */
function curve(points) {
  let path = `M${points[0]}`;
  for (let i = 1; i < points.length - 1; i++) {
    const [x, y] = points[i], [nextX, nextY] = points[i + 1];
    const end = i === points.length - 2 ? [nextX, nextY] : [(x + nextX) / 2, (y + nextY) / 2];
    path += `Q${x},${y} ${end}`;
  }
  return points.length === 2 ? `${path}L${points[1]}` : path;
}

function drawPort(port, x, y, path) {
  const id = `${path}#${port.id}`, isTop = path === "";
  const element = svg("g", { class: `port${isTop ? " end" : ""}`, transform: `translate(${x + port.x},${y + port.y})` });
  if (isTop) {
    const { width, height } = port;
    element.append(
      svg("rect", { x: -width / 2, y: -height / 2, width, height, rx: height / 2 }),
      text(portText(port.input ?? port.output), 0, 4, "small", "middle"),
    );
    drawn.items.set(id, { element, focus: element, x: x + port.x - width / 2, y: y + port.y - height / 2, width, height });
  } else {
    element.append(svg("circle", { r: DOT }));
    if (port.input) {
      const title = svg("title");
      title.textContent = port.input.name;
      element.append(title);
    }
  }
  element.dataset.id = id;
  layers.wires.append(element);
  drawn.flow.push({ from: id, to: id, element });
}

/** Say in words what a box is and costs: what a screen reader reads, and what tests compare. */
function spoken(place) {
  const total = place.total, times = place.box.names.length;
  const name = place.path + (times > 1 ? `, ${times} times` : "");
  const facts = [
    place.lines.join(", "), `output ${shapeText(place.shape)}`, `${exact(total.parameters)} parameters`,
    `${exact(total.macs)} multiply-adds`,
  ];
  return `${name}: ${facts.join("; ")}`;
}

/** Put the numbers of a box where scripts find them. */
function tag(element, place) {
  const total = place.total;
  Object.assign(element.dataset, {
    path: place.path, shape: place.shape.join("x"), parameters: total.parameters, macs: total.macs,
    activations: total.activations,
  });
}

function focusable(element, place) {
  const role = { role: "button", tabindex: "0", "aria-label": spoken(place) };
  if (place.isBlock) role["aria-expanded"] = String(place.isOpen);
  for (const [key, value] of Object.entries(role)) element.setAttribute(key, value);
}

function chevron(x, y, isOpen) {
  return svg("path", { class: "chevron", d: isOpen ? `M${x - 5},${y - 3}l5,6l5,-6` : `M${x - 3},${y - 5}l6,5l-6,5` });
}

function badgeOf(item, right, y) {
  const width = textWidth(item.badge, TITLE_FONT) + 12;
  return svg("g", { class: "badge" },
    svg("rect", { x: right - width, y: y - 14, width, height: 18, rx: 9 }),
    text(item.badge, right - width / 2, y - 0.5, "small", "middle"));
}

/** A closed padlock, from its upper left corner on. */
function lockOf(x, y) {
  return svg("g", { class: "lock", transform: `translate(${x},${y})` },
    svg("path", { d: "M2.5,5v-1.5a2.5,2.5 0 0 1 5,0v1.5" }), svg("rect", { y: 5, width: 10, height: 7, rx: 1 }));
}

function drawBox(item) {
  const { place, x, y, width, height } = item;
  const element = svg("g", { class: `box kind-${place.kind}${place.isFrozen && !place.isJoin ? " frozen" : ""}`, transform: `translate(${x},${y})` });
  tag(element, place);
  focusable(element, place);
  const round = place.isJoin ? height / 2 : 7;
  if (place.box.names.length > 1) {
    element.append(svg("rect", { class: "behind", x: 5, y: -5, width, height, rx: round }));
  }
  element.append(svg("rect", { class: "face", width, height, rx: round }));
  if (place.isJoin) {
    element.append(text(item.text, width / 2, height / 2 + 4.5, item.text.length === 1 ? "sign" : "line", "middle"));
  } else {
    element.append(text(item.title, 14, 20, "name"));
    let right = width - 10;
    if (place.isBlock) {
      element.append(svg("rect", { class: "header", width, height: HEADER, rx: 7 }), chevron(right - 4, 15, false));
      right -= 20;
    }
    if (item.badge) element.append(badgeOf(item, right, 20));
    item.lines.forEach((line, i) => element.append(text(line, 14, HEADER + 8 + i * LINE, i === place.mainLine ? "line" : "line less")));
    const low = HEADER + 8 + item.lines.length * LINE;
    element.append(text(item.shape, 14, low, "line shape"));
    if (place.isFrozen) element.append(lockOf(width - 21, height - 24));
    element.append(svg("rect", { class: "track", x: 8, y: height - 7, width: width - 16, height: 3, rx: 1.5 }));
    element.append(svg("rect", { class: "share", x: 8, y: height - 7, width: 0, height: 3, rx: 1.5 }));
  }
  layers.boxes.append(element);
  drawn.items.set(place.path, { element, focus: element, place, x, y, width, height });
  drawn.boxes++;
}

function drawFrame(item) {
  const { place, x, y, width, height } = item;
  const frameElement = svg("g", { class: "frame", transform: `translate(${x},${y})` },
    svg("rect", { class: "body", width, height, rx: 10 }));
  frameElement.dataset.path = place.path;
  layers.frames.append(frameElement);
  const header = svg("g", { class: "box heading", transform: `translate(${x},${y})` });
  tag(header, place);
  focusable(header, place);
  header.append(svg("rect", { class: "header", width, height: HEADER, rx: 10 }), chevron(16, 15, true));
  header.append(text(item.title, 28, 20, "name"));
  let left = 36 + textWidth(item.title, TITLE_FONT);
  if (item.badge) {
    const badgeWidth = textWidth(item.badge, TITLE_FONT) + 12;
    header.append(badgeOf(item, left + badgeWidth, 20));
    left += badgeWidth + 8;
  }
  header.append(text(item.text, left, 20, "line less"));
  layers.boxes.append(header);
  drawn.items.set(place.path, { element: header, focus: header, place, x, y, width, height, frame: frameElement });
  drawn.boxes++;
  drawBody(item.inside, x + item.shift, y + HEADER, place.path);
}

/** Colour boxes by kind, or by their part of a cost; and let the bar of each tell its part of the MACs. */
function colour() {
  const measure = state.colour === "kind" ? "macs" : state.colour;
  const whole = bodyCost(network().body)[measure];
  const shown = [...drawn.items.values()].filter((item) => item.place && !item.frame);
  const most = Math.max(...shown.map((item) => item.place.total[measure]), 1);
  canvas.classList.toggle("heat", state.colour !== "kind");
  for (const { element, place, width } of shown) {
    const part = place.total[measure];
    if (state.colour === "kind") {
      element.style.removeProperty("--face");
      element.style.removeProperty("--face-ink");
    } else {
      heat(element, part / most);
    }
    element.querySelector(".share")?.setAttribute("width", whole ? ((width - 16) * part) / whole : 0);
  }
  return most;
}

const STEPS = 6; // between the colours of a theme's scale

/** Give a box the colour of its part. The square root keeps small parts apart from none. */
function heat(element, part) {
  const place = Math.sqrt(part) * STEPS, low = Math.min(Math.floor(place), STEPS - 1), more = Math.round(100 * (place - low));
  element.style.setProperty("--face", `color-mix(in srgb, var(--scale-${low + 1}) ${more}%, var(--scale-${low}))`);
  element.style.setProperty("--face-ink", `var(--scale-ink-${Math.round(place)})`);
}

/** Show which box is selected. */
function mark() {
  for (const element of canvas.querySelectorAll(".selected")) element.classList.remove("selected");
  const item = drawn.items.get(state.selected);
  item?.element.classList.add("selected");
  item?.frame?.classList.add("selected");
}

/** Light the path of the data: all that leads to a box, and all that it leads to. */
function light(path) {
  const item = path === null ? null : drawn.items.get(path);
  canvas.classList.toggle("lighting", Boolean(item));
  canvas.dataset.lit = item ? path : "";
  for (const element of canvas.querySelectorAll(".lit")) element.classList.remove("lit");
  if (!item) return;
  const starts = item.frame ? drawn.flow.filter(({ from, to }) => from === to && from.startsWith(`${path}#`)).map(({ from }) => from) : [path];
  const lit = new Set(starts);
  for (const [next, key] of [["to", "from"], ["from", "to"]]) {
    const links = new Map();
    for (const link of drawn.flow) {
      if (!links.has(link[key])) links.set(link[key], []);
      links.get(link[key]).push(link);
    }
    const seen = new Set(starts), queue = [...starts];
    while (queue.length) {
      for (const link of links.get(queue.pop()) ?? []) {
        link.element.classList.add("lit");
        if (seen.has(link[next])) continue;
        seen.add(link[next]);
        lit.add(link[next]);
        queue.push(link[next]);
      }
    }
  }
  for (const id of lit) drawn.items.get(id)?.element.classList.add("lit");
  // A frame is lit with what is lit inside.
  for (const [id, { frame: frameElement, element }] of drawn.items) {
    if (frameElement && [...lit].some((other) => other.startsWith(`${id}.`) || other.startsWith(`${id}#`))) element.classList.add("lit");
  }
}

// The view: where the drawing lies on the screen.

const view = { x: 0, y: 0, scale: 1 };
const SMALLEST = 0.05, LARGEST = 4;

function applyView() {
  viewport.setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.scale})`);
}

function panBy(x, y) {
  view.x += x;
  view.y += y;
  applyView();
}

/** Zoom by a factor about a point of the canvas, by default its middle. */
function zoomBy(factor, at) {
  const { width, height } = canvas.getBoundingClientRect();
  const [x, y] = at ?? [width / 2, height / 2];
  const scale = Math.min(LARGEST, Math.max(SMALLEST, view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  applyView();
}

/** Show the whole drawing; where that would be too small to read, its top at full width. */
function fit(isWhole = true) {
  const { width, height } = canvas.getBoundingClientRect(), margin = 24, controls = 40;
  const across = (width - 2 * margin) / drawn.width, down = (height - 2 * margin - controls) / drawn.height;
  let scale = Math.min(across, down, 1.25);
  if (!isWhole && scale < 0.6) scale = Math.min(Math.max(scale, Math.min(across, 0.8)), 1);
  view.scale = Math.max(scale, SMALLEST);
  view.x = (width - drawn.width * view.scale) / 2;
  view.y = Math.max(margin, (height - controls - drawn.height * view.scale) / 2);
  applyView();
}

/** Move the view so that a box is well in sight. */
function bringIntoView(path, isCentred = false) {
  const item = drawn.items.get(path);
  if (!item) return;
  const { width, height } = canvas.getBoundingClientRect();
  const left = view.x + item.x * view.scale, top = view.y + item.y * view.scale;
  const right = left + item.width * view.scale, bottom = top + Math.min(item.height, HEADER * 3) * view.scale;
  const edge = 20;
  if (isCentred || right < edge || bottom < edge || left > width - edge || top > height - edge) {
    if (isCentred && view.scale < 0.6) view.scale = 0.8;
    view.x = width / 2 - (item.x + item.width / 2) * view.scale;
    view.y = height / 2 - (item.y + Math.min(item.height, height / view.scale) / 2) * view.scale;
  } else {
    view.x += Math.max(0, edge - left) - Math.max(0, Math.min(right - width + edge, left - edge));
    view.y += Math.max(0, edge - top) - Math.max(0, Math.min(bottom - height + edge, top - edge));
  }
  applyView();
}
