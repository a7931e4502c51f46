// The network as data: bodies with boxes, and numbers that are looked up for the chosen size, never worked out anew.

const data = JSON.parse(document.getElementById("data").textContent);

/** What the reader has chosen. `network` and `size` are indices; `open` and `selected` are paths. */
const state = { network: data.start, size: 0, colour: "kind", open: new Set(), selected: null };

/** Rows of numbers, one for every legal size, as numbers.py codes them. */
const rows = [];
for (const code of data.pool) {
  if (typeof code === "string") {
    const [first, steps] = code.split("|");
    let value = Number(first);
    rows.push([value, ...Array.from(steps, (step) => (value += parseInt(step, 36)))]);
  } else if (Array.isArray(code)) {
    rows.push(code);
  } else {
    rows.push(rows[code.of[0]].map((_, i) => code.of.reduce((product, row) => product * rows[row][i], 1)));
  }
}

/** Give a coded number at the chosen size. */
function number(coded) {
  if (coded === undefined) return 0;
  return typeof coded === "number" ? coded : coded[0] * rows[coded[1]][state.size];
}

const network = () => data.networks[state.network];
const sizes = () => network().sizes;
const shapeOf = (coded) => coded.map(number);
const shapeText = (shape) => shape.join("×");
const product = (shape) => shape.reduce((total, size) => total * size, 1);
const exact = (count) => count.toLocaleString("en-US");

/** Write a count to three figures: 25.6M. */
function amount(count) {
  const rounded = Number(count.toPrecision(3));
  for (const [unit, suffix] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (rounded >= unit) return Number((rounded / unit).toPrecision(3)) + suffix;
  }
  return String(count);
}

function percent(part, whole) {
  const share = whole ? (100 * part) / whole : 0;
  return share >= 0.05 ? `${share.toFixed(share < 10 ? 1 : 0)}%` : part ? "<0.1%" : "0%";
}

/** Write the names of equal steps as one: 1–2. */
function label(names) {
  if (names.length === 1) return names[0];
  const first = names[0], last = names[names.length - 1], digits = last.match(/\d+$/)?.[0] ?? "";
  return digits && first.startsWith(last.slice(0, -digits.length)) ? `${first}–${digits}` : `${first}…${last}`;
}

/** Fill in what Python leaves out: an operator's place is its box's, and its shape that of the one before. */
for (const body of data.bodies) {
  for (const box of body.boxes) {
    let shape;
    for (const operator of box.ops ?? []) {
      operator.at ??= box.at;
      shape = operator.shape ??= shape;
    }
  }
}

const MEASURES = { macs: "MACs", parameters: "parameters", activations: "activations" };

let totals = new Map();

/** Forget sums: the size has changed. */
function resetTotals() {
  totals = new Map();
}

function add(sum, cost, times, isReused) {
  sum.parameters += isReused ? 0 : cost.parameters * times;
  sum.macs += cost.macs * times;
  sum.activations += cost.activations * times;
  sum.operators += cost.operators * times;
}

const nothing = () => ({ parameters: 0, macs: 0, activations: 0, operators: 0 });

function operatorCost(operator) {
  const activations = operator.rearranges ? 0 : product(shapeOf(operator.shape));
  return { parameters: number(operator.parameters), macs: number(operator.macs), activations, operators: 1 };
}

/** Sum up one application of a box. Activations count elements; four bytes each in float32. */
function boxCost(box) {
  if (box.body !== undefined) return bodyCost(box.body);
  const sum = nothing();
  for (const operator of box.ops) add(sum, operatorCost(operator), operator.times ?? 1, false);
  return sum;
}

function bodyCost(index) {
  if (!totals.has(index)) {
    const sum = nothing();
    for (const box of data.bodies[index].boxes) add(sum, boxCost(box), box.names.length, box.reuses !== undefined);
    totals.set(index, sum);
  }
  return totals.get(index);
}

/**
 * A box in the network written out, except that equal steps which follow each other are one.
 * `times` is how often it is applied in all, `own` how often it has weights of its own.
 */
class Place {
  constructor(box, parent) {
    this.box = box;
    this.parent = parent;
    this.name = label(box.names);
    this.path = parent ? `${parent.path}.${this.name}` : this.name;
    this.times = (parent?.times ?? 1) * box.names.length;
    this.own = (parent?.own ?? 1) * (box.reuses === undefined ? box.names.length : 0);
    this.isBlock = box.body !== undefined;
  }

  get body() {
    return data.bodies[this.box.body];
  }

  /** The boxes inside, in order. */
  get inside() {
    this.children ??= this.isBlock ? this.body.boxes.map((box) => new Place(box, this)) : [];
    return this.children;
  }

  get isOpen() {
    return this.isBlock && state.open.has(this.path);
  }

  get kind() {
    return this.isBlock ? "block" : this.head.kind;
  }

  /** The operator that the box is about: its convolution, say, rather than the norm behind it. */
  get head() {
    const small = new Set(["norm", "activation", "regularise"]);
    const ops = this.box.ops.map((operator) => data.ops[operator.op]);
    return ops.find((op) => !small.has(op.kind) && op.word !== "flatten" && op.word !== "identity") ?? ops[0];
  }

  /** Whether training leaves all of it as it is. */
  get isFrozen() {
    return Boolean(this.box.frozen || this.parent?.isFrozen);
  }

  get isJoin() {
    return this.kind === "join";
  }

  /** What the box does, in lines: its main operator alone, the others beside it. */
  get lines() {
    if (this.isBlock) return [this.box.text || "", `${exact(this.cost.operators)} layers`].filter(Boolean);
    const texts = this.box.ops.map((operator) => data.ops[operator.op].text);
    const at = this.box.ops.findIndex((operator) => data.ops[operator.op] === this.head);
    return [texts.slice(0, at).join(", "), texts[at], texts.slice(at + 1).join(", ")].filter(Boolean);
  }

  /** The index among the lines of the one that the box is about. */
  get mainLine() {
    return !this.isBlock && data.ops[this.box.ops[0].op] !== this.head ? 1 : 0;
  }

  /** The costs of one application. */
  get cost() {
    return boxCost(this.box);
  }

  /** The costs of all its applications in the network. */
  get total() {
    const { parameters, macs, activations, operators } = this.cost;
    const times = this.times;
    return {
      parameters: parameters * this.own, macs: macs * times, activations: activations * times,
      operators: operators * times,
    };
  }

  get shape() {
    if (!this.isBlock) return shapeOf(this.box.ops[this.box.ops.length - 1].shape);
    return outputShape(this.box.body, "");
  }

  /** The shapes that come in. */
  get arriving() {
    return this.box.from.map((source) => sourceShape(this.parent ? this.parent.box.body : network().body, source));
  }
}

function outputShape(index, name) {
  const body = data.bodies[index];
  const output = body.outputs.find((candidate) => candidate.name === name) ?? body.outputs[0];
  return sourceShape(index, output.from);
}

function sourceShape(index, [at, output]) {
  const body = data.bodies[index];
  if (at < 0) return shapeOf(body.inputs[-1 - at].shape);
  const box = body.boxes[at];
  return box.body !== undefined ? outputShape(box.body, output) : shapeOf(box.ops[box.ops.length - 1].shape);
}

let topPlaces = [];

/** Make the network's own places anew: another network was chosen. */
function resetPlaces() {
  topPlaces = data.bodies[network().body].boxes.map((box) => new Place(box, null));
}

/** Yield every place, outer ones before what is inside; at most `limit`. */
function* everyPlace(limit = 20000) {
  const stack = topPlaces.slice().reverse();
  while (stack.length && limit-- > 0) {
    const place = stack.pop();
    yield place;
    stack.push(...place.inside.slice().reverse());
  }
}

function findPlace(path) {
  let among = topPlaces, found = null;
  // Names may hold any character, so a path is followed from name to name, not split.
  for (let rest = path; rest; rest = found.path === path ? "" : path.slice(found.path.length + 1)) {
    found = among.find((place) => place.path === path || path.startsWith(`${place.path}.`));
    if (!found) return null;
    among = found.inside;
  }
  return found;
}

/** Find a place by one of its paths in the written-out network, such as layer1.2.conv1 in layer1.1–2.conv1. */
function findWritten(path) {
  let among = topPlaces, found = null, rest = path;
  while (rest) {
    const match = among.flatMap((place) => place.box.names.map((name) => [place, name]))
      .find(([, name]) => rest === name || rest.startsWith(`${name}.`));
    if (!match) return null;
    found = match[0];
    rest = rest.slice(match[1].length + 1);
    among = found.inside;
  }
  return found;
}
