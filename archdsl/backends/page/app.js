// What the reader does: folding, selecting, searching, sizes, keys, and the pointer.

const $ = (id) => document.getElementById(id);
const MOST_BOXES = 3000; // what a browser still draws at once without delay

function count(places) {
  return places.reduce((sum, place) => sum + 1 + (place.isOpen ? count(place.inside) : 0), 0);
}

/** Draw, and keep what depends on which boxes are drawn. */
function drawAll() {
  draw();
  showLegend();
  showFound();
}

function redraw() {
  drawAll();
  showPanel();
  showTitle();
}

function showTitle() {
  const total = bodyCost(network().body);
  $("totals").textContent = `${amount(total.parameters)} parameters · ${amount(total.macs)} MACs`;
  $("totals").title = `${exact(total.parameters)} parameters, ${exact(total.macs)} multiply-adds`;
}

/** Fold or unfold a block in place: its header stays where it is on the screen. */
function toggle(path) {
  const place = findPlace(path);
  if (!place?.isBlock) return;
  const before = drawn.items.get(path);
  if (place.isOpen) state.open.delete(path);
  else state.open.add(path);
  drawAll();
  const after = drawn.items.get(path);
  if (before && after) {
    const middle = (item) => item.x + item.width / 2;
    panBy((middle(before) - middle(after)) * view.scale, (before.y - after.y) * view.scale);
  }
  showPanel();
}

function foldAll() {
  state.open.clear();
  redraw();
  fit();
}

function unfoldAll() {
  let boxes = topPlaces.length;
  for (const place of everyPlace()) {
    if (!place.isBlock) continue;
    boxes += place.inside.length;
    if (boxes > MOST_BOXES) {
      say(`only the first ${exact(MOST_BOXES)} boxes are unfolded`);
      break;
    }
    state.open.add(place.path);
  }
  redraw();
  fit(false);
}

/** Open what hides a box. */
function reveal(place) {
  let isChanged = false;
  for (let up = place.parent; up; up = up.parent) {
    isChanged ||= !state.open.has(up.path);
    state.open.add(up.path);
  }
  if (isChanged) drawAll();
}

function select(path, { isRevealed = false, isFocused = false } = {}) {
  const place = path === null ? null : findPlace(path);
  state.selected = place ? place.path : null;
  if (place && isRevealed) {
    reveal(place);
    bringIntoView(place.path, true);
  }
  mark();
  showPanel();
  if (place && !document.body.classList.contains("with-panel")) {
    document.body.classList.add("with-panel");
    bringIntoView(place.path); // the panel may lie on it now
  }
  if (place && isFocused) drawn.items.get(place.path)?.focus.focus({ preventScroll: true });
  keepAddress();
}

/** Say something in passing, also to screen readers. */
function say(message) {
  $("status").textContent = message;
}

// The address keeps what is shown: a link to the file with its fragment shows the same.

function keepAddress() {
  const kept = new URLSearchParams();
  if (state.selected !== null) kept.set("box", state.selected);
  if (state.size !== network().start) kept.set("size", sizes()[state.size]);
  if (data.networks[state.network].value !== data.networks[data.start].value) kept.set(data.setting, network().value);
  const fragment = kept.toString();
  if (fragment === location.hash.slice(1)) return;
  try {
    history.replaceState(null, "", `#${fragment}`);
  } catch {
    location.hash = fragment; // where a browser forbids the former for local files
  }
}

function readAddress() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const index = data.networks.findIndex((candidate) => data.setting && candidate.value === kept.get(data.setting));
  if (index >= 0 && index !== state.network) chooseNetwork(index);
  const size = Number(kept.get("size"));
  if (sizes().includes(size) && size !== sizes()[state.size]) chooseSize(sizes().indexOf(size));
  const box = kept.get("box");
  if (box !== null && box !== state.selected && findPlace(box)) select(box, { isRevealed: true });
}

// Input size and setting.

function refresh() {
  resetTotals();
  resetLayouts();
  redraw();
  showSizes();
  keepAddress();
}

function chooseSize(index) {
  state.size = index;
  refresh();
}

function chooseNetwork(index) {
  const size = sizes()[state.size];
  state.network = index;
  const legal = sizes().findLastIndex((candidate) => candidate <= size);
  state.size = sizes().includes(size) ? legal : network().start;
  resetPlaces();
  if (state.selected !== null && !findPlace(state.selected)) state.selected = null;
  refresh();
  say(`${data.setting} = ${network().value}`);
}

function showSizes() {
  const body = data.bodies[network().body];
  const image = body.inputs.map((input) => shapeOf(input.shape)).find((shape) => shape.length === 3);
  const shown = image ? `${image[1]} × ${image[2]}` : "";
  $("size").max = sizes().length - 1;
  $("size").value = state.size;
  $("size").setAttribute("aria-valuetext", `${shown} pixels`);
  if (document.activeElement !== $("size-number")) $("size-number").value = sizes()[state.size];
  $("size-shown").textContent = image && image[1] !== image[2] ? shown : "";
  $("setting").value = state.network;
  $("setting").setAttribute("aria-valuetext", `${data.setting} = ${network().value ?? ""}`);
  $("setting-value").textContent = network().value ?? "";
}

/** Take a size that was typed, or say why the network does not take it. */
function enterSize() {
  const wanted = Number($("size-number").value), input = $("size-number");
  const index = sizes().indexOf(wanted);
  input.setAttribute("aria-invalid", String(index < 0));
  if (index >= 0) {
    say("");
    chooseSize(index);
    return;
  }
  const refused = network().refused.find(([first, last]) => first <= wanted && wanted <= last);
  const largest = Math.max(...sizes(), ...network().refused.map(([, last]) => last));
  say(refused ? `${wanted}: ${refused[2]}${refused[3] ? ` at ${refused[3]}` : ""}` : `whole sizes from 1 to ${largest} are worked out`);
}

// Search.

const found = { places: [], at: -1 };

function search() {
  const query = $("search").value.trim().toLowerCase();
  found.places = [];
  found.at = -1;
  if (query) {
    const written = findWritten($("search").value.trim());
    const words = query.split(/\s+/);
    const matches = (place) => {
      const ops = place.isBlock ? [place.body.name, "block"] : place.box.ops.flatMap(({ op, name }) => [name, data.ops[op].word, data.ops[op].text, data.ops[op].kind]);
      const where = [place.path, ...ops].join(" ").toLowerCase();
      return words.every((word) => where.includes(word));
    };
    found.places = [...everyPlace()].filter(matches);
    if (written) found.places = [written, ...found.places.filter((place) => place !== written)];
  }
  showFound();
}

function showFound() {
  const query = $("search").value.trim(), number = found.places.length;
  $("found").textContent = !query ? "" : number ? `${found.at >= 0 ? `${found.at + 1} of ` : ""}${number}` : "nothing";
  const paths = new Set(found.places.map((place) => place.path));
  canvas.classList.toggle("searching", number > 0);
  for (const [path, { element }] of drawn.items) element.classList.toggle("found", paths.has(path));
}

function nextFound(step) {
  if (!found.places.length) return;
  found.at = (found.at + step + found.places.length) % found.places.length;
  select(found.places[found.at].path, { isRevealed: true });
  showFound();
}

// Legend, theme, help.

function showLegend() {
  const names = data.kinds, shown = new Set([...drawn.items.values()].filter(({ place }) => place).map(({ place }) => place.kind));
  const legend = $("legend");
  if (state.colour === "kind") {
    const kinds = Object.keys(names).filter((kind) => shown.has(kind));
    legend.replaceChildren(...kinds.map((kind) => html("span", { class: `kind-${kind}` }, html("i", {}), names[kind])));
  } else {
    const most = colour();
    const whole = bodyCost(network().body)[state.colour];
    legend.replaceChildren(html("span", {}, "0%"), html("span", { class: "scale" }), html("span", {}, `${percent(most, whole)} of ${MEASURES[state.colour]}`));
  }
}

const THEMES = ["auto", "light", "dark"];

function nextTheme() {
  const now = document.documentElement.dataset.theme ?? "auto";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  document.documentElement.dataset.theme = next;
  $("theme").textContent = { auto: "◐", light: "☀", dark: "☾" }[next];
  $("theme").setAttribute("aria-label", `theme: ${next}`);
  $("theme").title = `theme: ${next}`;
}

function closePanel() {
  state.selected = null;
  mark();
  showPanel();
  document.body.classList.remove("with-panel");
  keepAddress();
}

// Keys.

const PAN = 60;
const KEYS = {
  "/": () => $("search").focus(),
  "?": () => $("help").showModal(),
  "+": () => zoomBy(1.25),
  "=": () => zoomBy(1.25),
  "-": () => zoomBy(0.8),
  "0": () => fit(),
  f: foldAll,
  u: unfoldAll,
  t: nextTheme,
  ArrowLeft: () => panBy(PAN, 0),
  ArrowRight: () => panBy(-PAN, 0),
  ArrowUp: () => panBy(0, PAN),
  ArrowDown: () => panBy(0, -PAN),
  Escape: closePanel,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const isTyping = event.target.matches?.("input, select");
  if (event.key === "Escape" && event.target === $("search")) {
    $("search").value = "";
    search();
    $("search").blur();
    return;
  }
  if (isTyping) return;
  const box = event.target.closest?.("[data-path]");
  if (box && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    const path = box.dataset.path;
    state.selected = path;
    if (findPlace(path)?.isBlock) toggle(path);
    select(path);
    return;
  }
  if (panel.contains(event.target) && event.key.startsWith("Arrow")) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

// The pointer: one drags, two pinch, and a click without a drag selects or folds.

const pointers = new Map();
let dragged = 0, pinch = 0, hovering = 0;

function at(event) {
  const { left, top } = canvas.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!pointers.size) dragged = 0;
  pointers.set(event.pointerId, at(event));
  pinch = spread();
});

function spread() {
  if (pointers.size < 2) return 0;
  const [[ax, ay], [bx, by]] = [...pointers.values()];
  return Math.hypot(ax - bx, ay - by);
}

canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const [x, y] = at(event);
  pointers.set(event.pointerId, [x, y]);
  dragged += Math.hypot(x - before[0], y - before[1]);
  if (dragged < 5) return;
  // From here on it is a drag, which goes on outside the canvas.
  if (!canvas.hasPointerCapture(event.pointerId)) canvas.setPointerCapture(event.pointerId);
  canvas.classList.add("dragging");
  if (pointers.size === 1) {
    panBy(x - before[0], y - before[1]);
  } else {
    const [[ax, ay], [bx, by]] = [...pointers.values()], now = spread();
    panBy((x - before[0]) / 2, (y - before[1]) / 2);
    if (pinch) zoomBy(now / pinch, [(ax + bx) / 2, (ay + by) / 2]);
    pinch = now;
  }
});

for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    pointers.delete(event.pointerId);
    pinch = spread();
    if (!pointers.size) canvas.classList.remove("dragging");
  });
}

canvas.addEventListener("click", (event) => {
  if (dragged >= 5) return;
  const box = event.target.closest("[data-path]");
  if (!box) {
    select(null);
    return;
  }
  const isHeader = event.target.matches(".header, .chevron") || (event.target.closest(".heading") !== null);
  if (isHeader) toggle(box.dataset.path);
  select(box.dataset.path);
});

canvas.addEventListener("dblclick", (event) => {
  const box = event.target.closest(".box");
  if (box && !event.target.matches(".header, .chevron") && !box.matches(".heading")) toggle(box.dataset.path);
});

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  // Lines and pages, which some mice report, as pixels.
  const step = event.deltaY * [1, 16, 400][event.deltaMode];
  zoomBy(Math.exp(-Math.max(-120, Math.min(120, step)) / 400), at(event));
}, { passive: false });

canvas.addEventListener("pointerover", (event) => {
  if (pointers.size) return;
  const id = event.target.closest("[data-path]")?.dataset.path ?? event.target.closest(".end")?.dataset.id ?? null;
  clearTimeout(hovering);
  hovering = setTimeout(() => light(id), id === null ? 80 : 40);
});
canvas.addEventListener("pointerleave", () => {
  clearTimeout(hovering);
  light(null);
});
canvas.addEventListener("focusin", (event) => {
  const path = event.target.closest("[data-path]")?.dataset.path;
  if (path === undefined || !event.target.matches(":focus-visible")) return;
  bringIntoView(path);
  light(path);
});
canvas.addEventListener("focusout", () => light(null));

// Controls.

$("search").addEventListener("input", search);
$("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") nextFound(event.shiftKey ? -1 : 1);
});
$("colour").addEventListener("change", () => {
  state.colour = $("colour").value;
  colour();
  showLegend();
  showPanel();
});
$("size").addEventListener("input", () => {
  say("");
  chooseSize(Number($("size").value));
});
$("size-number").addEventListener("change", enterSize);
$("setting").addEventListener("input", () => chooseNetwork(Number($("setting").value)));
$("fold").addEventListener("click", foldAll);
$("unfold").addEventListener("click", unfoldAll);
$("closer").addEventListener("click", () => zoomBy(1.25));
$("farther").addEventListener("click", () => zoomBy(0.8));
$("fit").addEventListener("click", () => fit());
$("theme").addEventListener("click", nextTheme);
$("help-button").addEventListener("click", () => $("help").showModal());
$("close-help").addEventListener("click", () => $("help").close());
$("close").addEventListener("click", closePanel);
$("about").addEventListener("click", () => document.body.classList.toggle("with-panel"));
window.addEventListener("hashchange", readAddress);
window.addEventListener("resize", () => applyView());
// On paper the whole drawing is shown, whatever part of it is on the screen.
window.addEventListener("beforeprint", () => {
  canvas.setAttribute("viewBox", `-10 -10 ${drawn.width + 20} ${drawn.height + 20}`);
  viewport.removeAttribute("transform");
});
window.addEventListener("afterprint", () => {
  canvas.removeAttribute("viewBox");
  applyView();
});

/** Open a block that is most of the network, so that the stages are seen at once. */
function openMain() {
  let places = topPlaces;
  const isMost = (place) => place.isBlock && place.total.operators > 0.5 * bodyCost(network().body).operators;
  for (let main; (main = places.find(isMost)) && places.length + main.inside.length <= 40; places = main.inside) {
    if (main.box.names.length > 1 || main.body.kind !== "group") break;
    state.open.add(main.path);
  }
}

function start() {
  resetPlaces();
  state.size = network().start;
  $("sizes").hidden = sizes().length < 2;
  $("size-number").min = 1;
  $("settings").hidden = data.networks.length < 2;
  $("setting").max = data.networks.length - 1;
  $("setting-name").textContent = data.setting ?? "";
  $("name").textContent = data.name;
  for (const element of document.querySelectorAll("[data-key]")) element.title ||= element.dataset.key;
  openMain();
  if (innerWidth > 900) document.body.classList.add("with-panel");
  redraw();
  showSizes();
  fit(false);
  readAddress();
}

start();
