// Dilated. The arithmetic first: exported, and compared with torch for thousands of random settings.

/** Cells that one output sees along an axis, from the first to the last, through layers of size-3 kernels. */
export const fieldOf = (rates) => rates.reduce((size, rate) => size + 2 * rate, 1);

/** Along one axis: the number of paths from each cell of the field to the output, one tap of three in each layer. */
export function pathLine(rates) {
  let line = [1];
  for (const rate of rates) {
    const wider = new Array(line.length + 2 * rate).fill(0);
    line.forEach((n, i) => { for (const tap of [0, rate, 2 * rate]) wider[i + tap] += n; });
    line = wider;
  }
  return line;
}

/** Cells of the square field that at least one path leaves from. */
export const touched = (rates) => pathLine(rates).filter((n) => n > 0).length ** 2;

/** torch.nn.functional.conv1d for one channel with three weights. */
export const conv1d = (x, w, rate) => Array.from({ length: x.length - 2 * rate }, (_, i) => w[0] * x[i] + w[1] * x[i + rate] + w[2] * x[i + 2 * rate]);

/** The values of every layer, the input first. */
export const stack = (x, w, rates) => rates.reduce((layers, rate) => [...layers, conv1d(layers[layers.length - 1], w, rate)], [x]);

/** For every layer, the input first: which of its nodes the one output rests on. */
export function restsOn(rates) {
  const layers = [[true]];
  for (const rate of [...rates].reverse()) {
    const below = new Array(layers[0].length + 2 * rate).fill(false);
    layers[0].forEach((used, i) => { if (used) for (const tap of [0, rate, 2 * rate]) below[i + tap] = true; });
    layers.unshift(below);
  }
  return layers;
}

const LARGEST = 9; // what the rates may add up to: 19 cells still fit on a phone
const PRESETS = [[1, 1, 1], [1, 2, 4], [2, 2, 2], [1, 2, 3], [3, 3, 3]];

export default demo({
  name: "dilated",
  state: ["first", "second", "third", "depth", "view", "input", "kernel"],
  valid: (s) => [s.first, s.second, s.third].every((r) => [1, 2, 3, 4].includes(r)) && s.first + s.second + s.third <= LARGEST
    && [1, 2, 3].includes(s.depth) && ["area", "line"].includes(s.view) && s.input.length === 2 * LARGEST + 1 && s.kernel.length === 3,

  render(ui) {
    const KEYS = ["first", "second", "third"];
    const all = () => KEYS.map((key) => ui.get(key)), rates = () => all().slice(0, ui.get("depth"));
    const field = ui.derive(() => fieldOf(rates())), whole = ui.derive(() => fieldOf(all()));
    const onLine = () => ui.get("view") === "line";
    const seen = ui.derive(() => touched(rates()));
    const about = () => t(seen() < field() ** 2 ? "holes" : "full", { rates: rates().join(", "), n: rates().length, f: field(), all: field() ** 2, seen: seen(), missed: field() ** 2 - seen() });

    // ---- over an area: paths from each cell to the output in the middle
    const line = ui.derive(() => pathLine(rates()));
    const most = ui.derive(() => Math.max(...line()));
    const inField = (r, c) => { const off = (whole() - field()) / 2; return [r - off, c - off]; };
    const pathsAt = (r, c) => { const [i, j] = inField(r, c); return line()[i] === undefined || line()[j] === undefined ? null : line()[i] * line()[j]; };
    const isTap = (r, c) => { const top = rates()[rates().length - 1], mid = (whole() - 1) / 2; return [r - mid, c - mid].every((d) => d === 0 || Math.abs(d) === top); };
    const map = grid(ui, {
      tone: "output", label: () => t("mapGrid", { n: whole() }), size: () => (onLine() ? [0, 0] : [whole(), whole()]),
      cell: (r, c) => {
        const n = pathsAt(r, c);
        if (n === null) return { text: "", marks: "outside" };
        return { text: String(n), marks: `${n ? `level${Math.ceil((4 * n) / most() ** 2)}` : "hole"} ${isTap(r, c) ? "tap" : ""}` };
      },
      describe: (r, c) => {
        const n = pathsAt(r, c), [i, j] = inField(r, c), at = { r: r + 1, c: c + 1 };
        if (n === null) return t("outside", at);
        return n ? t("paths", { ...at, a: line()[i], b: line()[j], n }) + (isTap(r, c) ? ` ${t("tap", { layer: rates().length })}` : "") : t("hole", at);
      },
      frame: () => ({ row: (whole() - field()) / 2, col: (whole() - field()) / 2, rows: field(), cols: field() }),
    });

    // ---- along a line: the values of each layer, and the wires between them
    const layers = ui.derive(() => stack(ui.get("input").slice(0, field()), ui.get("kernel"), rates()));
    const rests = ui.derive(() => restsOn(rates()));
    let focus = null; // [layer, node] someone points at; else the output
    const node = () => (focus && focus[1] < (layers()[focus[0]]?.length ?? 0) ? focus : [rates().length, 0]);
    const tapsOf = (layer, i) => (layer ? [0, 1, 2].map((k) => i + k * rates()[layer - 1]) : []);
    const sumOf = (layer, i) => tapsOf(layer, i).map((at, k) => [layers()[layer - 1][at], ui.get("kernel")[k]]);
    const place = (layer, i) => i + rates().slice(0, layer).reduce((a, b) => a + b, 0);
    const sayNode = (layer, i) => {
      if (!layer) return t(rests()[0][i] ? "inputUsed" : "inputMissed", { i: i + 1, value: ui.get("input")[i] });
      const value = layers()[layer][i], sum = sumOf(layer, i).map(([a, b]) => `${num(a)}×${num(b)}`).join(" + ");
      return t(rests()[layer][i] ? "nodeUsed" : "nodeMissed", { layer, i: i + 1, value, sum, rate: rates()[layer - 1] });
    };
    const isWired = (layer, i) => { const [l, at] = node(); return (l === layer && at === i) || (l === layer + 1 && tapsOf(l, at).includes(i)); };
    const rowOf = (layer) => grid(ui, {
      tone: layer ? "output" : "input", label: () => (layer ? t("layerGrid", { layer, n: layers()[layer]?.length ?? 0 }) : t("inputGrid", { n: field() })),
      size: () => (onLine() && layers()[layer] ? [1, layers()[layer].length] : [0, 0]),
      cell: (r, i) => {
        const marks = node()[0] === layer && node()[1] === i ? "current" : isWired(layer, i) ? "window" : "";
        return { text: short(layers()[layer][i]), marks: `${rests()[layer][i] ? "" : "missed"} ${marks}` };
      },
      describe: (r, i) => sayNode(layer, i),
      point: (r, i) => { focus = r === null ? null : [layer, i]; },
      ...(layer ? {} : { edit: (r, i, value) => ui.set({ input: ui.get("input").map((v, at) => (at === i ? value : v)) }) }),
    });
    const band = (layer) => {
      const wires = svg("svg", { class: "cnn-wires", preserveAspectRatio: "none", "aria-hidden": "true" });
      const name = h("span", { class: "cnn-layer", "aria-hidden": "true" });
      ui.watch(() => {
        if (!onLine() || !rates()[layer - 1]) return;
        setAttr(wires, "viewBox", `0 0 ${field()} 1`);
        setText(name, t("layer", { layer, rate: rates()[layer - 1] }));
        const ends = layers()[layer].flatMap((_, i) => (rests()[layer][i] || isFocus(layer, i) ? tapsOf(layer, i).map((at) => [i, at]) : []));
        const order = ends.sort(([a], [b]) => isFocus(layer, a) - isFocus(layer, b)); // the wires in focus on top
        wires.replaceChildren(...order.map(([i, at]) => svg("line", {
          x1: place(layer, i) + 0.5, y1: 0, x2: place(layer - 1, at) + 0.5, y2: 1, class: isFocus(layer, i) ? "lit" : "",
        })));
      });
      return showIf(ui, () => onLine() && rates().length >= layer, h("div", { class: "cnn-band" }, wires, name));
    };
    const isFocus = (layer, i) => node()[0] === layer && node()[1] === i;
    const rows = h("div", { class: "cnn-lines" }, rowOf(3), band(3), rowOf(2), band(2), rowOf(1), band(1), rowOf(0));
    ui.watch(() => rows.style.setProperty("--n", field()));
    const kernel = grid(ui, {
      tone: "kernel", label: () => t("kernelGrid"), size: () => (onLine() ? [1, 3] : [0, 0]),
      cell: (r, c) => short(ui.get("kernel")[c]), describe: (r, c) => t("kernelCell", { i: c + 1, value: ui.get("kernel")[c] }),
      edit: (r, c, value) => ui.set({ kernel: ui.get("kernel").map((v, at) => (at === c ? value : v)) }),
    });
    const sum = text(ui, () => {
      const [layer, i] = node(), list = sumOf(layer, i);
      if (!list.length) return "";
      return [...list.flatMap(([a, b], k) => [k ? " + " : "", h("span", { class: layer > 1 ? "cnn-ink-output" : "cnn-ink-input" }, num(a)), " × ", tinted("kernel", num(b))]), " = ", h("strong", { class: "cnn-ink-output" }, num(layers()[layer][i]))];
    }, "cnn-sum");

    // ---- words, formula, code
    const size = text(ui, () => [t("fieldIs"), " ", math.show(1, "+", 2, "×", "(", ...rates().flatMap((rate, i) => [...(i ? ["+"] : []), math.tone("kernel", rate)]), ")", "=", math.tone("output", field()))]);
    const rate = (key, i) => slider(ui, { key, label: t("rate", { layer: i + 1 }), min: 1, max: () => Math.min(4, LARGEST - all().reduce((a, b) => a + b, 0) + ui.get(key)), say: about });
    return [
      row(
        choice(ui, { label: t("view"), options: [["area", t("viewArea")], ["line", t("viewLine")]], value: () => ui.get("view"), choose: (view) => ui.set({ view }) }),
        choice(ui, { label: t("preset"), options: PRESETS.map((p) => [p.join(), p.join(", ")]), value: () => all().join(), choose: (v) => { const [first, second, third] = v.split(",").map(Number); ui.set({ first, second, third }); } })),
      h("div", { class: "cnn-sliders" }, KEYS.map(rate), slider(ui, { key: "depth", label: t("depth"), min: 1, max: 3, say: about })),
      showIf(ui, () => !onLine(), block(ui, t("map"), map)),
      showIf(ui, onLine, h("div", { class: "cnn-pyramid" }, rows, row(block(ui, t("kernel"), kernel), block(ui, t("focusSum"), sum)))),
      sentence(ui, about), size,
      code(ui, () => torchLines(ui.get("view"), rates(), ui.get("input"), ui.get("kernel"))),
    ];
  },
});

/** The PyTorch lines that compute what is shown: `paths` over the area, `y` along the line. */
export function torchLines(view, rates, input, kernel) {
  const n = fieldOf(rates), head = ["import torch", "import torch.nn.functional as F", ""];
  const layers = (f) => ["y = x", `for rate in ${pyList(rates)}:`, `    y = F.${f}(y, w, dilation=rate)`];
  if (view === "line") return [...head, `x = torch.tensor([${pyList(input.slice(0, n))}]).float()`, `w = torch.tensor([[${pyList(kernel)}]]).float()`, ...layers("conv1d")].join("\n");
  return [...head, `x = torch.zeros(1, 1, ${n}, ${n}, requires_grad=True)`, "w = torch.ones(1, 1, 3, 3)", ...layers("conv2d"), "y.sum().backward()", "paths = x.grad[0, 0]"].join("\n");
}
