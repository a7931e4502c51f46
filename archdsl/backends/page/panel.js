// The panel beside the drawing: the network's facts, or the selected box's, and the text that they come from.

const panel = document.getElementById("panel");
const details = document.getElementById("details");
const sourceView = document.getElementById("source");

/** Make an HTML element. Text goes in as text, never as markup. */
function html(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") element.addEventListener("click", value);
    else if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function facts(rowsOfFacts) {
  const list = html("dl", { class: "facts" });
  for (const [name, value, note] of rowsOfFacts) {
    list.append(html("dt", {}, name), html("dd", {}, value, note ? html("span", { class: "note" }, ` ${note}`) : null));
  }
  return list;
}

function bytes(elements) {
  let size = 4 * elements;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (size < 1000 || unit === "GB") return `${Number(size.toPrecision(3))} ${unit}`;
    size /= 1000;
  }
  return "";
}

function costFacts(total, whole) {
  const share = (key) => (whole ? percent(total[key], whole[key]) : "");
  return [
    ["parameters", exact(total.parameters), share("parameters")],
    ["MACs", exact(total.macs), share("macs")],
    ["activations", bytes(total.activations), share("activations") || "in float32"],
  ];
}

function link(content, place) {
  return html("button", { class: "link", onclick: () => select(place.path, { isRevealed: true }) }, content);
}

function showPanel() {
  const place = state.selected === null ? null : findPlace(state.selected);
  details.replaceChildren(...(place ? aboutPlace(place) : aboutNetwork()));
  showSource(place);
}

function aboutNetwork() {
  const total = bodyCost(network().body), body = data.bodies[network().body];
  const inputs = body.inputs.map((input) => shapeText(shapeOf(input.shape))).join(", ");
  const outputs = body.outputs.map((output) => shapeText(sourceShape(network().body, output.from))).join(", ");
  return [
    html("h2", {}, data.name),
    data.doc ? html("p", {}, data.doc) : null,
    facts([["input", inputs], ["output", outputs], ["operators", exact(total.operators)], ...costFacts(total, null)]),
    heaviest(total),
    html("p", { class: "note" }, "MACs are multiply-adds of convolutions and matrix products for one image, without bias."),
  ].filter(Boolean);
}

/** List the boxes that cost most by the measure that colours tell, or MACs. */
function heaviest(whole) {
  const measure = state.colour === "kind" ? "macs" : state.colour;
  const leaves = [...everyPlace()].filter((place) => !place.isBlock && place.total[measure] > 0);
  leaves.sort((one, other) => other.total[measure] - one.total[measure]);
  if (!leaves.length) return null;
  const list = html("ol", { class: "heaviest" });
  for (const place of leaves.slice(0, 8)) {
    const times = place.times > 1 ? ` ×${place.times}` : "";
    list.append(html("li", {}, link(place.path + times, place), html("span", {}, percent(place.total[measure], whole[measure]))));
  }
  return html("section", {}, html("h3", {}, `most ${MEASURES[measure]}`), list);
}

function aboutPlace(place) {
  const whole = bodyCost(network().body), times = place.times;
  const parents = [];
  for (let up = place.parent; up; up = up.parent) parents.unshift(up);
  const trail = html("nav", { class: "trail", "aria-label": "blocks around" });
  for (const parent of parents) trail.append(link(parent.name, parent), " › ");
  const rowsOfFacts = [
    ["path", place.path],
    ...(times > 1 ? [["applied", `${exact(times)} times`, "the figures below are for all"]] : []),
    ...(place.box.reuses ? [["weights", `those of ${place.box.reuses}`]] : []),
    ...(place.isFrozen ? [["training", "leaves it as it is"]] : []),
    ["input", place.arriving.map(shapeText).join(", ")],
    ["output", shapeText(place.shape)],
    ...costFacts(place.total, whole),
    ["line", place.box.at ? `${place.box.at[1]} of ${data.sources[place.box.at[0]].name}` : "none"],
  ];
  return [
    parents.length ? trail : null,
    html("h2", {}, place.name),
    html("p", { class: "what" }, place.lines.join(", ")),
    place.isBlock ? html("p", {}, html("button", { onclick: () => toggle(place.path) }, place.isOpen ? "fold" : "unfold")) : null,
    facts(rowsOfFacts),
    ...(place.isBlock ? [settings(place.body)] : place.box.ops.map((operator) => aboutOperator(operator, place))),
  ].filter(Boolean);
}

function settings(body) {
  if (!body.settings) return null;
  const rowsOfFacts = Object.entries(body.settings).map(([name, value]) => [name, String(value)]);
  return html("section", {}, html("h3", {}, `${body.name}, with`), facts(rowsOfFacts));
}

/** Describe one operator of a box, with what was written apart from what it has by itself. */
function aboutOperator(operator, place) {
  const op = data.ops[operator.op], cost = operatorCost(operator);
  const given = Object.entries(op.given ?? {}).map(([name, value]) => [name, String(value)]);
  const rest = Object.entries(data.defaults[op.word] ?? {})
    .filter(([name, value]) => !(name in (op.given ?? {})) && value !== null)
    .map(([name, value]) => [name, String(value), "by default"]);
  const figures = place.box.ops.length > 1 || place.times > 1
    ? [["output", shapeText(shapeOf(operator.shape))], ["parameters", exact(cost.parameters), place.times > 1 ? "each" : ""], ["MACs", exact(cost.macs), place.times > 1 ? "each" : ""]]
    : [];
  const reuses = operator.reuses ? [["weights", `those of ${operator.reuses}`]] : [];
  return html("section", {}, html("h3", {}, op.word, html("span", { class: "note" }, ` ${operator.name}`)), facts([...figures, ...reuses, ...given, ...rest]));
}

/** Show the text, with the lines of a box lit, and more faintly those of the calls around it. */
function showSource(place) {
  const at = place?.box.at ?? data.bodies[network().body].inputs[0]?.at;
  const index = at ? at[0] : 0, source = data.sources[index];
  const title = document.getElementById("source-name");
  title.textContent = source?.name ?? "";
  if (sourceView.dataset.shown !== String(index)) {
    sourceView.dataset.shown = String(index);
    const lines = (source?.text ?? "").replace(/\n$/, "").split("\n");
    sourceView.replaceChildren(...lines.map((line, i) => html("li", { value: i + 1 }, html("code", {}, line || " "))));
  }
  const items = [...sourceView.children];
  for (const item of items) item.classList.remove("lit", "around");
  if (!place || !at) return;
  const paint = ([, first, last], kind) => items.slice(first - 1, last).forEach((item) => item.classList.add(kind));
  for (let up = place.parent; up; up = up.parent) if (up.box.at?.[0] === index) paint(up.box.at, "around");
  paint(at, "lit");
  const line = items[at[1] - 1];
  if (line) sourceView.scrollTop = line.offsetTop - sourceView.clientHeight / 3;
}
